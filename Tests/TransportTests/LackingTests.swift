import Foundation
import NIOPosix
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy
import VersionKitTransport

/// What a version lacks, when a proxy or another version goes.
@Suite("Keys that are still to be copied")
struct LackingTests {
    private func makeServer(state: String? = nil, limits: Limits = .standard) -> ProxyServer {
        ProxyServer(KeyedLineAdapter(), group: MultiThreadedEventLoopGroup.singleton, limits: limits, state: state)
    }

    private func expectCalm(_ server: ProxyServer) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while server.counters.writes.lag.values.contains(where: { $0 > 0 }) {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test("a proxy that is started anew does not take the newest version for the truth about a key that it lacks")
    func startedAnew() async throws {
        let isWell = Switch()
        let old = try FakeVersion("old") { .say($0.hasPrefix("get") ? "old\n" : "done\n") }
        let new = try FakeVersion("new") { line in
            guard isWell.isOn || line.hasPrefix("get") || line == "keys" else { return .close }
            return .say(line.hasPrefix("get") ? "new\n" : "done\n")
        }
        let directory = try TemporaryDirectory()
        let table = VersionTable(generation: 1, versions: [1, 2], endpoints: [1: old.endpoint, 2: new.endpoint])
        let first = makeServer(state: directory.path)
        await first.update(table)
        try await expectCalm(first)
        #expect(await ask(try connect(to: first), "add k") == "done")
        // Whether the copy has failed by now or not.
        await first.handOver { _, _ in false }
        let second = makeServer(state: directory.path)
        await second.update(table)
        let client = try connect(to: second)
        #expect(await ask(client, "get k") == "old")
        isWell.turnOn()
        try await expectCalm(second)
        #expect(await ask(client, "get k") == "new")
        #expect(second.counters.writes.diverged.isEmpty)
    }

    @Test("of each key, a proxy that is started anew takes for the truth who has what was acknowledged of it")
    func eachLacksAnother() async throws {
        let isWell = Switch()
        let version = { (name: String, lacked: String) in
            try FakeVersion(name) { line in
                if line == "add \(lacked)" { return .close }
                if line.hasPrefix("set "), !isWell.isOn { return .silence }
                return .say(line.hasPrefix("get ") ? (line.hasSuffix(lacked) ? "stale\n" : "state\n") : "done\n")
            }
        }
        let (old, new) = (try version("old", "b"), try version("new", "a"))
        let table = VersionTable(generation: 1, versions: [1, 2], endpoints: [1: old.endpoint, 2: new.endpoint])
        let directory = try TemporaryDirectory()
        let first = makeServer(state: directory.path + "/first")
        await first.update(table)
        try await expectCalm(first)
        for key in ["a", "b"] { #expect(await ask(try connect(to: first), "add \(key)") == "done") }
        // What is on the disk when a client was answered, whatever this proxy does later.
        try FileManager.default.copyItem(atPath: directory.path + "/first", toPath: directory.path + "/second")
        let second = makeServer(state: directory.path + "/second")
        await second.update(table)
        isWell.turnOn()
        try await expectCalm(second)
        #expect(old.lines.contains("set b state"))
        #expect(new.lines.contains("set a state"))
        #expect((old.lines + new.lines).allSatisfy { !$0.hasSuffix("stale") })
        #expect(second.counters.writes.diverged.isEmpty)
        #expect(VersionFiles.missed(in: directory.path + "/second") == [])
    }

    @Test("a write is not acknowledged that one version lacks when that cannot be written down")
    func unkept() async throws {
        let old = try FakeVersion("old") { .say($0.hasPrefix("get ") ? "state\n" : "done\n") }
        let new = try FakeVersion("new") { $0 == "add a" ? .close : .say("done\n") }
        let directory = try TemporaryDirectory()
        // It cannot be made: its parent is not there.
        let server = makeServer(state: directory.path + "/missing/state")
        await server.update(
            VersionTable(generation: 1, versions: [1, 2], endpoints: [1: old.endpoint, 2: new.endpoint]))
        try await expectCalm(server)
        #expect(await ask(try connect(to: server), "add a") != "done")
        #expect(server.counters.writes.unkept[2, default: 0] > 0)
        // In this process nothing is lost.
        try await expectCalm(server)
        #expect(new.lines.contains("set a state"))
    }

    @Test("a version is not taken off the list before those that stay have its keys")
    func taken() async throws {
        let gate = Gate()
        let old = try FakeVersion("old") { line in
            guard line.hasPrefix("get") else { return .say("done\n") }
            gate.pass()
            return .say("state\n")
        }
        let new = try FakeVersion("new") { $0.hasPrefix("add") ? .close : .say("done\n") }
        var limits = Limits.standard
        limits.replyTimeout = .seconds(60)
        let server = makeServer(limits: limits)
        let endpoints = [1: old.endpoint, 2: new.endpoint] as [Version: Endpoint]
        await server.update(VersionTable(generation: 1, versions: [1, 2], endpoints: endpoints))
        try await expectCalm(server)
        // The older one alone did it, and what it has is not copied yet.
        #expect(await ask(try connect(to: server), "add k") == "done")
        async let update: Void = server.update(VersionTable(generation: 2, versions: [2], endpoints: endpoints))
        for _ in 0..<100 { await Task.yield() }
        gate.open()
        await update
        #expect(new.lines.contains("set k state"))
    }
}
