import CLinux
import Glibc
import NIOPosix
import RedisAdapter
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy
import VersionKitTransport

/// Two real servers behind a real proxy.
@Suite("Redis behind a proxy", .serialized)
struct RedisProxyTests {
    private let old: RedisServer
    private let new: RedisServer
    private let proxy: ProxyServer
    private let endpoint: Endpoint
    private let listener: Int32

    init() async throws {
        old = try await RedisServer()
        new = try await RedisServer()
        proxy = ProxyServer(RedisAdapter(), group: MultiThreadedEventLoopGroup.singleton)
        (listener, endpoint) = try Loopback.listen()
    }

    private func serve(_ generation: UInt64, _ versions: VersionList) async {
        await proxy.update(
            VersionTable(generation: generation, versions: versions, endpoints: [1: old.endpoint, 2: new.endpoint]))
    }

    private var filling: VersionList {
        var list: VersionList = [1]
        list.insert(2, role: .filling)
        return list
    }

    private func client() throws -> RedisClient { try RedisClient(to: endpoint) }

    /// Waits until no version misses anything, and compares what the servers have.
    private func expectEqual(_ location: SourceLocation = #_sourceLocation) async throws {
        try await eventually("both are up to date: \(proxy.counters.fields)") {
            proxy.counters.writes.lag.values.allSatisfy { $0 == 0 }
        }
        #expect(try old.digest() == new.digest(), sourceLocation: location)
        #expect(proxy.counters.writes.diverged.isEmpty, sourceLocation: location)
    }

    /// Several clients write to the same few keys without order among themselves; how many replies were errors.
    private func hammer(_ clients: Int, _ rounds: Int) async throws -> Int {
        let endpoint = endpoint
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<clients {
                group.addTask {
                    try await tryOnThread("client-\(number)") { try Self.write(number, rounds, endpoint) }
                }
            }
            return try await group.reduce(0, +)
        }
    }

    private static func write(_ number: Int, _ rounds: Int, _ endpoint: Endpoint) throws -> Int {
        let client = try RedisClient(to: endpoint)
        var errors = 0
        for round in 0..<rounds {
            let key = "\(round % 7)"
            let commands: [[String]] = [
                ["INCR", "count:" + key], ["APPEND", "text:" + key, "\(number),"],
                ["LPUSH", "list:" + key, "\(round)"],
                ["SADD", "set:" + key, "\(number)-\(round)"], ["SPOP", "set:" + key], ["RPOP", "list:" + key],
                ["SET", "timed:" + key, "\(number)", "EX", "1000"], ["ZINCRBY", "order:" + key, "1.5", "\(number)"],
                ["HSET", "hash:" + key, "\(number)", "\(round)"], ["DEL", "text:\((round + 3) % 7)"],
                ["XADD", "stream:" + key, "*", "from", "\(number)"], ["RENAME", "list:" + key, "list:renamed"],
            ]
            // A pipeline: all at once, then all the replies.
            client.send(commands.map(RedisClient.command).joined())
            for _ in commands {
                guard let reply = client.reply() else { throw TestFailure(description: "the connection ended") }
                if reply.hasPrefix("-"), reply != "-ERR no such key" {
                    errors += 1
                }
            }
        }
        return errors
    }

    @Test("a version that is put back as it was gets what was written since")
    func putBack() async throws {
        await serve(1, [1, 2])
        proxy.listen(descriptor: listener)
        let client = try client()
        for key in ["a", "b", "c"] { #expect(client.ask("SET", key, "old") == "OK") }
        try await expectEqual()
        // It retires: what it has stays as it is.
        await serve(2, retired(.logged))
        #expect(client.ask("SET", "a", "new") == "OK")
        #expect(client.ask("DEL", "b") == "1")
        #expect(client.ask("INCR", "count") == "1")
        #expect(try RedisClient(to: old.endpoint).ask("GET", "a") == "old")
        await serve(3, retired(.replaying))
        #expect(client.ask("INCR", "count") == "2")
        try await expectEqual()
        await serve(4, retired(.settling))
        try await eventually("it has everything") { proxy.counters.writes.settled[1] == 1 }
        let writer = try self.client()
        async let held = onThread("writer") { writer.ask("INCR", "count") }
        #expect(try old.digest() == new.digest())
        var back: VersionList = [1]
        back.insert(2, role: .writesOnly)
        await serve(5, back)
        #expect(await held == "3")
        await serve(6, [1])
        #expect(client.ask("GET", "a") == "new")
        #expect(client.ask("GET", "b") == "(nil)")
        #expect(client.ask("GET", "c") == "old")
        #expect(client.ask("GET", "count") == "3")
    }

    private func retired(_ role: VersionList.Role) -> VersionList {
        var list: VersionList = [2]
        list.insert(1, role: role)
        return list
    }

    @Test("writes of many clients to the same keys leave both servers equal, whatever is random or timed in them")
    func sameOrder() async throws {
        await serve(1, [1, 2])
        proxy.listen(descriptor: listener)
        #expect(try await hammer(6, 60) == 0)
        try await expectEqual()
        #expect(try client().ask("GET", "count:0") != "(nil)")
    }

    @Test("a new server is filled while clients write and delete, and has the same keys in the end")
    func filled() async throws {
        let direct = try RedisClient(to: old.endpoint)
        for number in 0..<3000 {
            direct.send(RedisClient.command(["SET", "old:\(number)", "value"]))
            direct.send(RedisClient.command(["HSET", "hash:\(number)", "a", "1", "b", "2"]))
            direct.send(RedisClient.command(["EXPIRE", "hash:\(number)", "5000"]))
            for _ in 0..<3 { _ = direct.reply() }
        }
        #expect(direct.ask("SELECT", "5") == "OK")
        #expect(direct.ask("SET", "elsewhere", "1") == "OK")
        await serve(1, [1])
        proxy.listen(descriptor: listener)
        let eraser = try client()
        async let writing = hammer(4, 150)
        await serve(2, filling)
        for number in stride(from: 0, to: 3000, by: 3) {
            #expect(await onThread("eraser") { eraser.ask("DEL", "old:\(number)") } == "1")
            #expect(await onThread("eraser") { eraser.ask("APPEND", "old:\(number + 1)", "+") } == "6")
        }
        #expect(try await writing == 0)
        try await expectEqual()
        #expect(proxy.counters.writes.examined[2, default: 0] > 3000)
        await serve(3, [1, 2])
        #expect(eraser.ask("GET", "old:0") == "(nil)")
        #expect(eraser.ask("GET", "old:1") == "value+")
        await serve(4, [2])
        #expect(eraser.ask("GET", "old:2") == "value")
    }

    @Test(
        "a server that is killed and started again under load misses nothing, and no client notices", arguments: [1, 2])
    func killed(_ victim: Int) async throws {
        await serve(1, [1, 2])
        proxy.listen(descriptor: listener)
        #expect(try await hammer(2, 20) == 0)
        // Either may be the one that is left only after they were compared.
        try await expectEqual()
        let server = victim == 1 ? old : new
        async let writing = hammer(4, 400)
        for _ in 0..<2 {
            await server.kill()
            try await eventually("it is known to be down") { proxy.counters.writes.lag[victim == 1 ? 1 : 2] != nil }
            try await server.start()
        }
        #expect(try await writing <= (victim == 1 ? 0 : 200))
        try await expectEqual()
    }

    @Test("a server that is paused delays its clients, and that is all")
    func paused() async throws {
        await serve(1, [1, 2])
        proxy.listen(descriptor: listener)
        async let writing = hammer(4, 100)
        try await eventually("the clients write") { proxy.counters.requests > 0 }
        old.signal(SIGSTOP)
        // All clients wait for it when no more requests are answered.
        var answered: UInt64?
        try await eventually("the clients wait") {
            let before = answered
            answered = proxy.counters.requests
            return answered == before
        }
        old.signal(SIGCONT)
        #expect(try await writing == 0)
        try await expectEqual()
    }

    @Test("a client's database and open transaction move to a newer proxy with its connection")
    func moves() async throws {
        await serve(1, [1])
        proxy.listen(descriptor: dup(listener))
        let client = try client()
        #expect(client.ask("SELECT", "3") == "OK")
        #expect(client.ask("MULTI") == "OK")
        #expect(client.ask("SET", "a", "1") == "QUEUED")
        let newer = ProxyServer(RedisAdapter(), group: MultiThreadedEventLoopGroup.singleton)
        await newer.update(VersionTable(generation: 1, versions: [1], endpoints: [1: old.endpoint]))
        newer.listen(descriptor: listener)
        await proxy.handOver { socket, rest in
            newer.adopt(dup(socket), rest)
            return true
        }
        #expect(client.ask("INCR", "a") == "QUEUED")
        #expect(client.ask("EXEC") == "OK,2")
        #expect(client.ask("GET", "a") == "2")
        let direct = try RedisClient(to: old.endpoint)
        #expect(direct.ask("GET", "a") == "(nil)")
        #expect(direct.ask("SELECT", "3") == "OK")
        #expect(direct.ask("GET", "a") == "2")
    }

    @Test("a change of database in the middle of a pipeline means what it says", arguments: [[1], [1, 2]])
    func pipelinedSession(_ versions: [Int]) async throws {
        await serve(1, versions.count == 1 ? [1] : [1, 2])
        proxy.listen(descriptor: listener)
        let client = try client()
        let commands = [
            ["SET", "a", "0"], ["SELECT", "1"], ["SET", "a", "1"], ["GET", "a"], ["SELECT", "0"], ["GET", "a"],
        ]
        client.send(commands.map(RedisClient.command).joined())
        let replies = commands.map { _ in client.reply() ?? "lost" }
        #expect(replies == ["OK", "OK", "OK", "1", "OK", "0"])
    }

    @Test("garbage gets Redis's own error, and other clients go on")
    func garbage() async throws {
        await serve(1, [1, 2])
        proxy.listen(descriptor: listener)
        let good = try client()
        for bytes in ["*1\r\n$-5\r\nabc\r\n", "*99999999999\r\n", "*1\r\n$999999999999\r\n", "*1\r\n:1\r\n"] {
            let bad = try client()
            bad.send(RedisClient.command(["SET", "before", "1"]) + bytes)
            #expect(bad.reply() == "OK")
            #expect(bad.reply()?.hasPrefix("-ERR Protocol error") == true)
            #expect(bad.reply() == nil)
            #expect(good.ask("PING") == "PONG")
        }
        #expect(proxy.counters.refused == 4)
    }
}
