import Glibc
import NIOCore
import NIOPosix
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy
import VersionKitTransport

@Suite("ProxyServer")
struct ProxyServerTests {
    private func makeServer(limits: Limits = .standard) -> ProxyServer {
        ProxyServer(LineAdapter(), group: MultiThreadedEventLoopGroup.singleton, limits: limits)
    }

    private func table(_ generation: UInt64, _ versions: [Version: FakeVersion]) -> VersionTable {
        VersionTable(
            generation: generation, versions: VersionList(versions.keys), endpoints: versions.mapValues(\.endpoint))
    }

    @Test("writes reach every version and reads come back from the newest")
    func writesAndReads() async throws {
        let (one, two) = (try FakeVersion("one"), try FakeVersion("two"))
        defer {
            one.stop()
            two.stop()
        }
        let server = makeServer()
        await server.update(table(1, [1: one, 2: two]))
        let (listener, endpoint) = try Loopback.listen()
        server.listen(descriptor: listener)
        let client = try LineConnection(to: endpoint)
        #expect(await ask(client, "w1") == "two:w1")
        #expect(await ask(client, "r1") == "two:r1")
        #expect(one.lines == ["w1", "r1"])
        #expect(two.lines == ["w1", "r1"])
        #expect(server.counters.requests == 2)
        #expect(server.counters.failed == 0)
    }

    @Test("a version that cannot be reached makes writes fail and reads come from the other")
    func unreachable() async throws {
        let one = try FakeVersion("one")
        let (unused, refusing) = try Loopback.refuse()
        defer {
            one.stop()
            close(unused)
        }
        let server = makeServer()
        await server.update(
            VersionTable(generation: 1, versions: [1, 2], endpoints: [1: one.endpoint, 2: refusing]))
        let (listener, endpoint) = try Loopback.listen()
        server.listen(descriptor: listener)
        let client = try LineConnection(to: endpoint)
        #expect(await ask(client, "w1") == "!fate-unknown")
        #expect(await ask(client, "n1") == "one:n1")
        #expect(server.counters.failed == 1)
        #expect(server.counters.needed == [1: 1])
    }

    @Test("a version that is silent for too long counts as lost, and the client is told")
    func silent() async throws {
        let silent = try FakeVersion("silent", isSilent: true)
        defer { silent.stop() }
        var limits = Limits.standard
        limits.replyTimeout = .milliseconds(100)
        let server = makeServer(limits: limits)
        await server.update(table(1, [1: silent]))
        let (listener, endpoint) = try Loopback.listen()
        server.listen(descriptor: listener)
        #expect(await ask(try LineConnection(to: endpoint), "w1") == "!fate-unknown")
    }

    @Test("a newer server takes over port and connections; a client that never pauses notices nothing")
    func handOver() async throws {
        let one = try FakeVersion("one")
        defer { one.stop() }
        let (old, new) = (makeServer(), makeServer())
        await old.update(table(1, [1: one]))
        await new.update(table(1, [1: one]))
        let (listener, endpoint) = try Loopback.listen()
        let shared = dup(listener)
        old.listen(descriptor: listener)
        let client = try LineConnection(to: endpoint)
        #expect(await ask(client, "w0") == "one:w0")
        // The rest of this request comes only after the connection has moved.
        client.send("w1\nw2\nhal")
        new.listen(descriptor: shared)
        await old.handOver { socket, rest in
            new.adopt(dup(socket), rest)
            return true
        }
        #expect(old.counters.connections == 0)
        client.send("f\n")
        for expected in ["one:w1", "one:w2", "one:half"] {
            #expect(await onThread("client") { client.readLine() } == expected)
        }
        #expect(await ask(try LineConnection(to: endpoint), "w3") == "one:w3")
        #expect(one.lines == ["w0", "w1", "w2", "half", "w3"])
    }

    /// Protects nothing, but its connections cannot move either.
    private struct Opaque: ClientSecurity {
        func secure(_ channel: any Channel) throws {}
    }

    @Test("a connection that cannot move to a newer server is served until it is quiet, or has had long enough")
    func cannotMove() async throws {
        var limits = Limits.standard
        (limits.handoverQuietTime, limits.handoverTimeout) = (.milliseconds(400), .milliseconds(1200))
        for isQuiet in [true, false] {
            let one = try FakeVersion("one")
            defer { one.stop() }
            let server = ProxyServer(
                LineAdapter(), group: MultiThreadedEventLoopGroup.singleton, limits: limits, security: Opaque())
            await server.update(table(1, [1: one]))
            let (listener, endpoint) = try Loopback.listen()
            server.listen(descriptor: listener)
            let client = try LineConnection(to: endpoint)
            #expect(await ask(client, "w0") == "one:w0")
            let start = ContinuousClock.now
            async let over: Void = server.handOver { _, _ in false }
            #expect(await ask(client, "w1") == "one:w1")
            // One that never pauses has its time, and no more.
            while !isQuiet, await ask(client, "w") == "one:w" {}
            #expect(await onThread("client") { client.readLine() } == nil)
            await over
            let taken = ContinuousClock.now - start
            #expect(taken >= (isQuiet ? .milliseconds(350) : .milliseconds(1100)))
            #expect(server.counters.connections == 0 && server.counters.refused == 0)
        }
    }

    @Test("once an update of the versions returns, no request goes to one that left")
    func updateReturns() async throws {
        let (one, two) = (try FakeVersion("one"), try FakeVersion("two"))
        defer {
            one.stop()
            two.stop()
        }
        let server = makeServer()
        await server.update(table(1, [1: one, 2: two]))
        let (listener, endpoint) = try Loopback.listen()
        server.listen(descriptor: listener)
        let client = try LineConnection(to: endpoint)
        #expect(await ask(client, "w1") == "two:w1")
        client.send("w2\nw3\nw4\n")
        await server.update(table(2, [2: two]))
        let before = one.lines
        for expected in ["two:w2", "two:w3", "two:w4"] {
            #expect(await onThread("client") { client.readLine() } == expected)
        }
        #expect(await ask(client, "w5") == "two:w5")
        #expect(one.lines == before)
    }

    @Test("a message over the limit closes the connection and is counted")
    func overlong() async throws {
        let one = try FakeVersion("one")
        defer { one.stop() }
        let server = makeServer()
        await server.update(table(1, [1: one]))
        let (listener, endpoint) = try Loopback.listen()
        server.listen(descriptor: listener)
        let client = try LineConnection(to: endpoint)
        client.send(String(repeating: "r", count: 5000))
        #expect(await onThread("client") { client.readLine() } == "bye malformed")
        #expect(await onThread("client") { client.readLine() } == nil)
        #expect(server.counters.refused == 1)
    }
}
