import NIOPosix
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy
import VersionKitTransport

@Suite("Keys that versions came to differ in")
struct MendingTests {
    @Test("they are copied from the version whose word counts, once for all who find them unlike")
    func mended() async throws {
        let gate = Gate()
        // The older version refuses what the newer one does, and takes its time for it.
        let old = try FakeVersion("old") { line in
            guard line.hasPrefix("add") else { return .say("done\n") }
            gate.pass()
            return .say("!no\n")
        }
        let new = try FakeVersion("new") { .say($0.hasPrefix("get") ? "state\n" : "done\n") }
        let server = ProxyServer(KeyedLineAdapter(), group: MultiThreadedEventLoopGroup.singleton)
        await server.update(
            VersionTable(generation: 1, versions: [1, 2], endpoints: [1: old.endpoint, 2: new.endpoint]))
        let (listener, endpoint) = try Loopback.listen()
        server.listen(descriptor: listener)
        // A proxy that has just begun compares the versions first.
        try await eventually { server.counters.writes.lag.values.allSatisfy { $0 == 0 } }

        let (one, other) = (try LineConnection(to: endpoint), try LineConnection(to: endpoint))
        one.send("add k\n")
        try await eventually { old.lines.contains("add k") }
        // What comes with a request that is answered has been asked for, too.
        other.send("get z\nadd k\n")
        #expect(await onThread("other") { other.readLine() } == "state")
        gate.open()
        #expect(await onThread("one") { one.readLine() } == "done")
        #expect(await onThread("other") { other.readLine() } == "done")
        try await eventually { old.lines.contains("set k state") }
        try await eventually { server.counters.writes.lag.values.allSatisfy { $0 == 0 } }
        #expect(old.lines.count { $0 == "set k state" } == 1)
        #expect(old.lines.count { $0 == "add k" } == 2)
        #expect(server.counters.writes.diverged.isEmpty)
    }

    private func eventually(_ condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while !condition() {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
