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

    @Test("a client that sends its request byte by byte has as long for it as any, whatever else is waited for")
    func dripping() async throws {
        var limits = Limits.standard
        limits.requestTimeout = .milliseconds(300)
        // What is looked at before the request begins is a long time away.
        limits.idleTimeout = .seconds(3600)
        let setting = try await Setting([1: try FakeVersion("one")], limits: limits)
        let client = try setting.client()
        #expect(await ask(client, "r1") == "one:r1")
        let (count, taken) = await onThread("client") {
            let start = ContinuousClock.now
            var count = 0
            // Each byte is sent when the proxy has had time to say something to the one before.
            repeat {
                client.send("r")
                count += 1
            } while !client.isReadable(within: 30) && count < 900
            return (count, ContinuousClock.now - start)
        }
        #expect(count > 1 && count < 900)
        #expect(taken >= .milliseconds(250))
        #expect(await next(client) == "bye limit-exceeded")
        #expect(await next(client) == nil)
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
        #expect(await ask(client, "w-bad") == "!fate-unknown")
        #expect(await ask(client, "r2") == "one:r2")
        #expect(await ask(other, "r3") == "one:r3")
        #expect(setting.server.counters.failed == 1)
    }

    @Test("a version that hangs up in the middle of a reply fails the request, and nothing of the reply is passed on")
    func brokenOff() async throws {
        let version = try FakeVersion("one") { line in
            line.hasSuffix("half") ? .breakOff("one:ha") : .say("one:\(line)\n")
        }
        let setting = try await Setting([1: version])
        let (client, other) = (try setting.client(), try setting.client())
        client.send("r1\nw-half\n")
        for expected in ["one:r1", "!fate-unknown"] { #expect(await next(client) == expected) }
        #expect(await ask(client, "r2") == "one:r2")
        #expect(await ask(other, "r3") == "one:r3")
        // What may be done twice is asked once more.
        #expect(await ask(client, "i-half") == "!fate-unknown")
        #expect(version.lines.filter { $0.hasSuffix("half") } == ["w-half", "i-half", "i-half"])
    }

    @Test("a version that cannot be reached did nothing, and the client may ask again; otherwise nobody knows")
    func unreached() async throws {
        let (socket, endpoint) = try Loopback.refuse()
        let server = ProxyServer(LineAdapter(), group: MultiThreadedEventLoopGroup.singleton)
        await server.update(VersionTable(generation: 1, versions: [1], endpoints: [1: endpoint]))
        let (listener, place) = try Loopback.listen()
        server.listen(descriptor: listener)
        let client = try LineConnection(to: place)
        #expect(await ask(client, "w1") == "!unreached")
        let version = try FakeVersion("one", waking: socket, endpoint)
        #expect(await ask(client, "w1") == "one:w1")
        #expect(version.lines == ["w1"])
        version.stop()
    }

    @Test("a version that never answers fails the request, and other requests are answered")
    func silentVersion() async throws {
        let version = try FakeVersion("one") { $0 == "w-bad" ? .silence : .say("one:\($0)\n") }
        var limits = Limits.standard
        limits.replyTimeout = .milliseconds(300)
        let setting = try await Setting([1: version], limits: limits)
        let (client, other) = (try setting.client(), try setting.client())
        #expect(await ask(client, "w-bad") == "!fate-unknown")
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
        #expect(await ask(client, "i1") == "!fate-unknown")
        #expect(version.lines == ["i1", "i1"])
        #expect(await ask(client, "w1") == "!fate-unknown")
        #expect(version.lines == ["i1", "i1", "w1"])
    }

    @Test("a version that takes no connection is given up after a time, and nothing was sent to it")
    func unreachableVersion() async throws {
        var limits = Limits.standard
        limits.connectTimeout = .milliseconds(100)
        // A queue of one that is full: the kernel answers no further one, and refuses none either.
        let (listener, endpoint) = try Loopback.refuse()
        listen(listener, 0)
        let fillers = try (0..<2).map { _ in try Loopback.begin(to: endpoint) }
        defer { for filler in fillers + [listener] { close(filler) } }
        let server = ProxyServer(LineAdapter(), group: MultiThreadedEventLoopGroup.singleton, limits: limits)
        await server.update(VersionTable(generation: 1, versions: [1], endpoints: [1: endpoint]))
        let (socket, place) = try Loopback.listen()
        server.listen(descriptor: socket)
        let client = try LineConnection(to: place)
        #expect(await ask(client, "w1") == "!unreached")
        #expect(server.counters.failed == 1)
    }

    @Test("a client over the number of connections is closed at once, and the others go on")
    func tooMany() async throws {
        var limits = Limits.standard
        limits.clientConnectionsMax = 2
        let setting = try await Setting([1: try FakeVersion("one")], limits: limits)
        let first = try setting.client()
        do {
            let second = try setting.client()
            for client in [first, second] { #expect(await ask(client, "r") == "one:r") }
            #expect(await next(try setting.client()) == nil)
            #expect(setting.server.counters.refused == 1)
            #expect(await ask(second, "r") == "one:r")
        }
        // The second one has gone, and makes room once that is known.
        var reply: String?
        for _ in 0..<1000 where reply == nil { reply = await ask(try setting.client(), "r") }
        #expect(reply == "one:r")
        #expect(await ask(first, "r") == "one:r")
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

    @Test("a datagram goes to all versions that are to have it, and its sender gets one reply")
    func datagramToTwo() async throws {
        let (one, two) = (try FakeDatagramVersion("one"), try FakeDatagramVersion("two"))
        let server = ProxyServer(LineAdapter(), group: MultiThreadedEventLoopGroup.singleton)
        await server.update(
            VersionTable(generation: 1, versions: [1, 2], endpoints: [1: one.endpoint, 2: two.endpoint]))
        let descriptor = try ClientListener.open(.datagrams(Endpoint(address: Loopback.address, port: 0)))
        let endpoint = try Loopback.endpoint(of: descriptor)
        server.listen(descriptor: descriptor)
        let client = try DatagramConnection(to: endpoint)
        // Read from the newest, written to both, and the newest's word counts.
        for request in ["n1", "w1", "r1"] {
            #expect(await onThread("client") { client.ask(request + "\n") } == "two:\(request)\n")
        }
        #expect(one.datagrams == ["w1\n", "r1\n"])
        #expect(two.datagrams == ["n1\n", "w1\n", "r1\n"])
        #expect(server.counters.requests == 3 && server.counters.failed == 0)
    }

    @Test("a version that asks for it hears the client's address in each datagram")
    func datagramAnnounced() async throws {
        let version = try FakeDatagramVersion("nine")
        let server = ProxyServer(LineAdapter(), group: MultiThreadedEventLoopGroup.singleton)
        await server.update(VersionTable(generation: 1, versions: [9], endpoints: [9: version.endpoint]))
        let descriptor = try ClientListener.open(.datagrams(Endpoint(address: Loopback.address, port: 0)))
        let endpoint = try Loopback.endpoint(of: descriptor)
        server.listen(descriptor: descriptor)
        let client = try DatagramConnection(to: endpoint)
        #expect(await onThread("client") { client.ask("r1\n") }?.hasPrefix("nine:") == true)
        #expect(version.datagrams.first?.hasPrefix("\r\n\r\n\0\r\nQUIT\n!") == true)
        #expect(version.datagrams.first?.hasSuffix("r1\n") == true)
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
