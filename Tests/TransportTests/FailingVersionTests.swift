import NIOPosix
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy
import VersionKitTransport

/// A version that keeps failing is reported, so that it is taken out, and then clients go on.
@Suite("A version that keeps failing", .timeLimit(.minutes(2)))
struct FailingVersionTests {
    private var limits: Limits {
        var limits = Limits.standard
        limits.catchUpTimeout = .milliseconds(150)
        return limits
    }

    @Test("where all have to succeed, one that is down is reported, and not any more when it is back")
    func allOrFail() async throws {
        let one = try FakeVersion("one")
        let (socket, down) = try Loopback.refuse()
        let server = ProxyServer(LineAdapter(), group: MultiThreadedEventLoopGroup.singleton, limits: limits)
        let endpoints = [1: one.endpoint, 2: down] as [Version: Endpoint]
        await server.update(VersionTable(generation: 1, versions: [1, 2], endpoints: endpoints))
        let client = try connect(to: server)
        while server.counters.writes.trouble[2] == nil { #expect(await ask(client, "w") == "!fate-unknown") }
        #expect(server.counters.writes.trouble == [2: "it fails every write: it cannot be reached"])
        #expect(server.counters.writes.departure(old: 1, new: 2) != nil)
        // It comes back.
        let two = try FakeVersion("two", waking: socket, down)
        #expect(await ask(client, "w1") == "two:w1")
        #expect(server.counters.writes.trouble.isEmpty)
        #expect(two.lines == ["w1"])
        two.stop()
        // It goes again, and is taken out.
        let newer = [1: one.endpoint, 3: try Loopback.refuse().1] as [Version: Endpoint]
        await server.update(VersionTable(generation: 2, versions: [1, 3], endpoints: newer))
        while server.counters.writes.trouble[3] == nil { #expect(await ask(client, "w") == "!fate-unknown") }
        await server.update(VersionTable(generation: 3, versions: [1], endpoints: newer))
        #expect(await ask(client, "w2") == "one:w2")
        #expect(server.counters.writes.trouble.isEmpty)
    }

    @Test("where what is missed is brought later, one that refuses all of it is reported, and one that stays down")
    func catchUp() async throws {
        let one = try FakeVersion("one")
        let refusing = try FakeVersion("two") { _ in .say("!full\n") }
        for end in [refusing.endpoint, try Loopback.refuse().1] {
            let server = ProxyServer(
                LineAdapter(writePolicy: .catchUp), group: MultiThreadedEventLoopGroup.singleton, limits: limits)
            await server.update(
                VersionTable(generation: 1, versions: [1, 2], endpoints: [1: one.endpoint, 2: end]))
            let client = try connect(to: server)
            while server.counters.writes.trouble[2] == nil { #expect(await ask(client, "w") != nil) }
            await server.update(VersionTable(generation: 2, versions: [1], endpoints: [1: one.endpoint]))
            #expect(await ask(client, "w") == "one:w")
            #expect(server.counters.writes.trouble.isEmpty)
        }
    }
}
