import Glibc
import NIOPosix
import Synchronization
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy
import VersionKitTransport

/// What clients on one connection to a version do to each other, at worst.
@Suite("The pace of shared connections", .serialized, .timeLimit(.minutes(3)))
struct SharedPaceTests {
    /// Clients share only what is on one event loop.
    private static let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// A server in front of one version; clients come by a Unix socket, whose buffers are small and do not grow.
    private final class Setting: Sendable {
        let server: ProxyServer
        private let path: String

        init(_ version: FakeVersion, limits: Limits) async throws {
            server = ProxyServer(SharedLineAdapter(), group: SharedPaceTests.loop, limits: limits)
            await server.update(VersionTable(generation: 1, versions: [1], endpoints: [1: version.endpoint]))
            path = "/tmp/versionkit-pace-\(getpid())-\(version.endpoint.port).sock"
            server.listen(descriptor: try ClientListener.open(.local(path: path)))
        }

        func client() throws -> LineConnection { try LineConnection(unix: path) }

        deinit { unlink(path) }
    }

    /// What happens on other threads, in the order in which it does.
    private struct Events: Sendable {
        private let stream: AsyncStream<String>
        private let sink: AsyncStream<String>.Continuation

        init() { (stream, sink) = AsyncStream.makeStream() }

        func note(_ text: String) { sink.yield(text) }

        func wait(for count: Int = 1) async {
            var left = count
            for await _ in stream {
                left -= 1
                if left == 0 { return }
            }
        }
    }

    private func lines(_ count: Int, of client: LineConnection) async -> [String?] {
        await onThread("client") { (0..<count).map { _ in client.readLine() } }
    }

    /// A version whose replies to `big` are of half a megabyte: sixteen of them are more than all sockets on the way hold.
    private func generous(_ blocked: Events) throws -> FakeVersion {
        let large = String(repeating: "y", count: bigBytes - 1)
        return try FakeVersion("one", socketBytes: 64 << 10, whenBlocked: { blocked.note("blocked") }) { line in
            .say(line.hasPrefix("big") ? "+\(bigBytes) \(line)\n\(large)\n" : "one:\(line)\n")
        }
    }

    private let bigBytes = 512 << 10

    private var limits: Limits {
        var limits = Limits.standard
        limits.unsentBytesMax = 64 << 10
        limits.stalledClientTimeout = .seconds(60)
        return limits
    }

    private var bigOnes: String { (0..<16).map { "big\($0)\n" }.joined() }

    @Test("others wait for a client that takes no replies until it is cut off, and then go on")
    func cutOff() async throws {
        var limits = limits
        limits.stalledClientTimeout = .seconds(1)
        let setting = try await Setting(try generous(Events()), limits: limits)
        let (greedy, other) = (try setting.client(), try setting.client())
        greedy.send(bigOnes)
        #expect(await ask(other, "b1") == "one:b1")
        #expect(setting.server.counters.refused == 1)
        #expect(await ask(other, "b2") == "one:b2")
        #expect(await lines(32, of: greedy).contains(nil))
    }

    @Test(
        "a client that takes its replies late gets all of them in order, which others wait for, and no version is blamed"
    )
    func recovers() async throws {
        var limits = limits
        // Long enough for half a megabyte on a machine that is busy with other things.
        limits.replyTimeout = .seconds(10)
        let blocked = Events()
        let version = try generous(blocked)
        let setting = try await Setting(version, limits: limits)
        let (late, other) = (try setting.client(), try setting.client())
        late.send(bigOnes)
        await blocked.wait()
        // What the proxy does not hold is still the version's: it has not come to the last replies.
        #expect(version.lines.count < 16)
        other.send("b1\n")
        // More time passes than a version has for a reply.
        let silent = try await Setting(try FakeVersion("silent", isSilent: true), limits: limits)
        #expect(await ask(try silent.client(), "r") == "!fate-unknown")
        #expect(!version.lines.contains("b1"))
        for number in 0..<16 {
            let reply = await lines(2, of: late)
            #expect(reply[0] == "+\(bigBytes) big\(number)")
            #expect(reply[1]?.utf8.count == bigBytes - 1)
        }
        #expect(await lines(1, of: other) == ["one:b1"])
        #expect(setting.server.counters.failed == 0)
        #expect(setting.server.counters.refused == 0)
    }

    @Test("a client that goes while others wait for it lets them go on")
    func goes() async throws {
        let blocked = Events()
        let setting = try await Setting(try generous(blocked), limits: limits)
        let other = try setting.client()
        do {
            let greedy = try setting.client()
            greedy.send(bigOnes)
            await blocked.wait()
        }
        #expect(await ask(other, "b1") == "one:b1")
    }

    @Test(
        "a reply that is too long fails for whoever asked; others are asked again or told, and never pay for it twice")
    func tooLong() async throws {
        var limits = limits
        limits.messageBytesMax = 64 << 10
        limits.replyTimeout = .seconds(60)
        let asked = Events()
        let huge = "+\(256 << 10) huge\n" + String(repeating: "z", count: 256 << 10)
        let seen = Mutex<Set<String>>([])
        let version = try FakeVersion("one") { line in
            defer { asked.note(line) }
            let isFirst = seen.withLock { $0.insert(line).inserted }
            switch line {
            // The reply to the first comes when all three have asked.
            case "ihuge": return isFirst ? .silence : .say(huge)
            case "ib": return isFirst ? .silence : .say("one:ib\n")
            case "c": return .say(huge)
            case "dwait": return .silence
            case "dgo": return .say("one:dwait\none:dgo\n")
            default: return .say("one:\(line)\n")
            }
        }
        let setting = try await Setting(version, limits: limits)
        let clients = try (0..<4).map { _ in try setting.client() }
        for (client, request) in zip(clients, ["ihuge", "ib", "c"]) {
            client.send(request + "\n")
            await asked.wait()
        }
        #expect(await lines(1, of: clients[0]) == ["!fate-unknown"])
        #expect(await lines(1, of: clients[1]) == ["one:ib"])
        #expect(await lines(1, of: clients[2]) == ["!fate-unknown"])
        for client in clients { #expect(await ask(client, "r") == "one:r") }
        #expect(version.lines.count { $0 == "ihuge" } == 2)
        #expect(version.lines.count { $0 == "c" } == 1)

        // Asked once more, it is at nobody else's expense.
        clients[3].send("dwait\n")
        #expect(await ask(clients[0], "ihuge") == "!fate-unknown")
        #expect(version.lines.count { $0 == "ihuge" } == 4)
        clients[3].send("dgo\n")
        #expect(await lines(2, of: clients[3]) == ["one:dwait", "one:dgo"])
        #expect(setting.server.counters.refused == 0)
    }

    @Test("while a version does not read, clients are not read from; all goes on when it does")
    func unreadRequests() async throws {
        let (clientCount, requestCount) = (16, 96)
        var limits = limits
        limits.replyTimeout = .seconds(60)
        limits.firstSharedRequestsMax = requestCount
        let gate = Gate()
        let version = try FakeVersion("one", socketBytes: 64 << 10) { line in
            gate.pass()
            return line.hasPrefix("+") ? .say("one:\(line.drop { $0 != " " }.dropFirst())\n") : .silence
        }
        let setting = try await Setting(version, limits: limits)
        let blocked = Events()
        let accepted = Tally()
        let filler = String(repeating: "x", count: (16 << 10) - 1)
        let clients = try (0..<clientCount).map { _ in try setting.client() }
        for (index, client) in clients.enumerated() {
            SystemThread(name: "sender") {
                // All of it is no more than may be under way.
                var isBlocked = false
                for number in 0..<requestCount {
                    client.send("+\(16 << 10) w\(index)-\(number)\n\(filler)\n") {
                        if !isBlocked { blocked.note("blocked") }
                        isBlocked = true
                    }
                    if !isBlocked { accepted.add() }
                }
                if !isBlocked { blocked.note("done") }
            }.start()
        }
        await blocked.wait(for: clientCount)
        // 24 MB were offered; the sockets on the way hold a part of them.
        #expect(accepted.count < clientCount * requestCount / 2)
        gate.open()
        for (index, client) in clients.enumerated() {
            #expect(await lines(requestCount, of: client) == (0..<requestCount).map { "one:w\(index)-\($0)" })
        }
        #expect(setting.server.counters.failed == 0)
    }
}

/// A number that threads add to.
private final class Tally: Sendable {
    private let number = Atomic(0)

    var count: Int { number.load(ordering: .relaxed) }

    func add() { number.add(1, ordering: .relaxed) }
}
