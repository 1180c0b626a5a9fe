import Glibc
import NIOPosix
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy
import VersionKitTransport

/// Clients and versions that do what they should not: the right side hears of it, others go on.
@Suite("Misbehaviour")
struct MisbehaviourTests {
    /// A server in front of versions, and clients of it.
    private struct Setting {
        let server: ProxyServer
        let endpoint: Endpoint

        init(_ versions: [Version: FakeVersion], limits: Limits = .standard) async throws {
            server = ProxyServer(LineAdapter(), group: MultiThreadedEventLoopGroup.singleton, limits: limits)
            await server.update(
                VersionTable(
                    generation: 1, versions: VersionList(versions.keys), endpoints: versions.mapValues(\.endpoint)))
            let (listener, endpoint) = try Loopback.listen()
            server.listen(descriptor: listener)
            self.endpoint = endpoint
        }

        func client() throws -> LineConnection { try LineConnection(to: endpoint) }
    }

    private func ask(_ client: LineConnection, _ request: String) async -> String? {
        await onThread("client") { client.ask(request) }
    }

    private func next(_ client: LineConnection) async -> String? { await onThread("client") { client.readLine() } }

    private var impatient: Limits {
        var limits = Limits.standard
        limits.requestTimeout = .milliseconds(200)
        limits.stalledClientTimeout = .milliseconds(200)
        return limits
    }

    @Test("an endless line is refused with a reason, and other clients go on")
    func endlessLine() async throws {
        let setting = try await Setting([1: try FakeVersion("one")])
        let (bad, good) = (try setting.client(), try setting.client())
        bad.send("r1\n" + String(repeating: "x", count: 5000))
        #expect(await next(bad) == "one:r1")
        #expect(await next(bad) == "bye malformed")
        #expect(await next(bad) == nil)
        #expect(await ask(good, "r2") == "one:r2")
        #expect(setting.server.counters.refused == 1)
    }

    @Test("a client that never finishes its request is refused after a time, and one that says nothing is left alone")
    func slowRequest() async throws {
        let setting = try await Setting([1: try FakeVersion("one")], limits: impatient)
        let (slow, quiet) = (try setting.client(), try setting.client())
        slow.send("r")
        #expect(await next(slow) == "bye limit-exceeded")
        #expect(await next(slow) == nil)
        #expect(await ask(quiet, "r1") == "one:r1")
    }

    @Test("a client that says nothing for longer than the idle time is closed")
    func idle() async throws {
        var limits = Limits.standard
        limits.idleTimeout = .milliseconds(100)
        let setting = try await Setting([1: try FakeVersion("one")], limits: limits)
        // Where the machine is slow, a client may be idle before it has said anything.
        for _ in 0..<100 {
            let client = try setting.client()
            let reply = await ask(client, "r1")
            #expect(await next(client) == nil)
            if reply == "one:r1" { return }
            try #require(reply == nil)
        }
        Issue.record("no client was served before it was closed")
    }

    @Test("a client that takes no replies is closed, and the memory for it is bounded")
    func stalled() async throws {
        var limits = impatient
        limits.unsentBytesMax = 64 << 10
        let large = String(repeating: "y", count: 900)
        let setting = try await Setting([1: try FakeVersion("one") { _ in .say(large + "\n") }], limits: limits)
        let client = try setting.client()
        // It asks as fast as it can and reads nothing; at last its own sending fails.
        let sent = await onThread("client") { client.sendUntilRefused("r\n", countMax: 10_000_000) }
        #expect(sent)
        #expect(setting.server.counters.refused == 1)
    }

    @Test("half a connection is enough: what was asked before the client stopped sending is answered")
    func halfClose() async throws {
        let setting = try await Setting([1: try FakeVersion("one")])
        let client = try setting.client()
        client.send("r1\nr2\n")
        client.finishSending()
        #expect(await next(client) == "one:r1")
        #expect(await next(client) == "one:r2")
        #expect(await next(client) == nil)
    }

    @Test("a version that answers garbage or hangs up fails the request and nothing else", arguments: ["x", "c"])
    func badVersion(_ kind: String) async throws {
        let version = try FakeVersion("one") { line in
            guard line == "w-bad" else { return .say("one:\(line)\n") }
            return kind == "x" ? .say(String(repeating: "z", count: 3000)) : .close
        }
        let setting = try await Setting([1: version])
        let (client, other) = (try setting.client(), try setting.client())
        #expect(await ask(other, "r1") == "one:r1")
        #expect(await ask(client, "w-bad") == "!no-version")
        #expect(await ask(client, "r2") == "one:r2")
        #expect(await ask(other, "r3") == "one:r3")
        #expect(setting.server.counters.failed == 1)
    }

    @Test("a version that never answers fails the request, and other requests are answered")
    func silentVersion() async throws {
        let version = try FakeVersion("one") { $0 == "w-bad" ? .silence : .say("one:\($0)\n") }
        var limits = Limits.standard
        limits.replyTimeout = .milliseconds(300)
        let setting = try await Setting([1: version], limits: limits)
        let (client, other) = (try setting.client(), try setting.client())
        #expect(await ask(client, "w-bad") == "!no-version")
        // Where the machine is slow, a good answer may come too late as well, but not for ever.
        for asking in [client, other] {
            var reply: String?
            for _ in 0..<100 where reply != "one:r" { reply = await ask(asking, "r") }
            #expect(reply == "one:r")
        }
    }

    @Test("a version that answers twice loses its connection, not the next request")
    func twice() async throws {
        let version = try FakeVersion("one") { .say($0 == "r-twice" ? "one:a\none:b\n" : "one:\($0)\n") }
        let setting = try await Setting([1: version])
        let client = try setting.client()
        #expect(await ask(client, "r-twice") == "one:a")
        #expect(await ask(client, "r2") == "one:r2")
    }

    @Test("a request that may be done twice is sent again once, one that may not is reported as unknown")
    func sentAgain() async throws {
        let version = try FakeVersion("one") { _ in .close }
        let setting = try await Setting([1: version])
        let client = try setting.client()
        #expect(await ask(client, "i1") == "!no-version")
        #expect(version.lines == ["i1", "i1"])
        #expect(await ask(client, "w1") == "!no-version")
        #expect(version.lines == ["i1", "i1", "w1"])
    }

    @Test("a Unix socket serves like a port does")
    func unixSocket() async throws {
        let setting = try await Setting([1: try FakeVersion("one")])
        let path = "/tmp/versionkit-test-\(getpid()).sock"
        setting.server.listen(descriptor: try ClientListener.open(.local(path: path)))
        defer { unlink(path) }
        let client = try LineConnection(unix: path)
        #expect(await ask(client, "r1") == "one:r1")
    }

    @Test("a Unix socket of a listener that is gone is replaced; one that is served, or a file, is not")
    func staleSocket() async throws {
        let path = "/tmp/versionkit-test-stale-\(getpid()).sock"
        defer { unlink(path) }
        close(try ClientListener.open(.local(path: path)))
        let listener = try ClientListener.open(.local(path: path))
        #expect(throws: SystemError.self) { try ClientListener.open(.local(path: path)) }
        close(listener)
        unlink(path)
        close(open(path, O_CREAT | O_WRONLY, 0o600))
        #expect(throws: SystemError.self) { try ClientListener.open(.local(path: path)) }
        #expect(access(path, F_OK) == 0)
    }

    @Test("requests of a listener with a port of its own go to that port of the version")
    func ownPort() async throws {
        let table = try FakeDatagramVersion("table")
        let own = try FakeDatagramVersion("own")
        let server = ProxyServer(LineAdapter(), group: MultiThreadedEventLoopGroup.singleton)
        await server.update(VersionTable(generation: 1, versions: [1], endpoints: [1: table.endpoint]))
        let descriptor = try ClientListener.open(.datagrams(Endpoint(address: Loopback.address, port: 0)))
        let endpoint = try Loopback.endpoint(of: descriptor)
        server.listen(descriptor: descriptor, versionPort: own.endpoint.port)
        let client = try DatagramConnection(to: endpoint)
        #expect(await onThread("client") { client.ask("r1\n") } == "own:r1\n")
    }

    @Test("a version that asks for it hears the client's address first")
    func announced() async throws {
        let version = try FakeVersion("nine") { .say("nine:\($0.utf8.count)\n") }
        let setting = try await Setting([9: version])
        let client = try setting.client()
        // The header of version 2 begins with two line ends of its own.
        _ = await ask(client, "r1")
        #expect(version.lines.first == "\r")
        #expect(version.lines.dropFirst().first == "\r")
    }

    @Test("each datagram is a request, and its sender gets the reply")
    func datagrams() async throws {
        let version = try FakeDatagramVersion("one")
        let server = ProxyServer(LineAdapter(), group: MultiThreadedEventLoopGroup.singleton)
        await server.update(VersionTable(generation: 1, versions: [1], endpoints: [1: version.endpoint]))
        let descriptor = try ClientListener.open(.datagrams(Endpoint(address: Loopback.address, port: 0)))
        let endpoint = try Loopback.endpoint(of: descriptor)
        server.listen(descriptor: descriptor)
        let client = try DatagramConnection(to: endpoint)
        #expect(await onThread("client") { client.ask("r1\n") } == "one:r1\n")
        // Half a request is none; the next one is not disturbed.
        client.send("r")
        #expect(await onThread("client") { client.ask("r2\n") } == "one:r2\n")
        #expect(server.counters.refused == 1)
    }
}
