import NIOPosix
import RedisAdapter
import Testing
import VersionKitModel
import VersionKitProxy
import VersionKitTransport

/// One client's conversation with two real servers, which have to be equal after it, whatever was said.
@Suite("Redis behind a proxy: what clients say", .serialized)
struct RedisConversationTests {
    private let old: RedisServer
    private let new: RedisServer
    private let proxy: ProxyServer
    private let endpoint: Endpoint
    private let client: RedisClient

    init() async throws {
        old = try await RedisServer()
        new = try await RedisServer()
        proxy = ProxyServer(RedisAdapter(), group: MultiThreadedEventLoopGroup.singleton)
        await proxy.update(
            VersionTable(generation: 1, versions: [1, 2], endpoints: [1: old.endpoint, 2: new.endpoint]))
        let listener: Int32
        (listener, endpoint) = try Loopback.listen()
        proxy.listen(descriptor: listener)
        client = try RedisClient(to: endpoint)
    }

    private func expectEqual(_ location: SourceLocation = #_sourceLocation) async throws {
        try await eventually("both are up to date: \(proxy.counters.fields)") {
            proxy.counters.writes.lag.values.allSatisfy { $0 == 0 }
        }
        #expect(try old.digest() == new.digest(), sourceLocation: location)
        #expect(proxy.counters.writes.diverged.isEmpty, sourceLocation: location)
        #expect(proxy.counters.failed == 0, sourceLocation: location)
    }

    private func isRefused(_ reply: String?) -> Bool { reply?.hasPrefix("-ERR VersionKit: ") == true }

    @Test("RESP 3: replies have the types that the client asked for, also after it came back to RESP 2")
    func resp3() async throws {
        #expect(client.ask("HELLO", "3")?.contains("proto,3") == true)
        #expect(client.ask("HSET", "h", "f", "v") == "1")
        client.send(RedisClient.command(["HGETALL", "h"]))
        for line in ["%1", "$1", "f", "$1", "v"] { #expect(client.line() == line) }
        #expect(client.ask("ZADD", "z", "1.5", "a") == "1")
        client.send(RedisClient.command(["ZSCORE", "z", "a"]) + RedisClient.command(["GET", "none"]))
        #expect(client.line() == ",1.5")
        #expect(client.line() == "_")
        #expect(client.ask("HELLO", "2", "SETNAME", "me")?.contains("proto,2") == true)
        client.send(RedisClient.command(["HGETALL", "h"]))
        #expect(client.line() == "*2")
        for _ in 0..<4 { _ = client.line() }
        #expect(client.ask("CLIENT", "GETNAME") == "me")
        try await expectEqual()
    }

    @Test("scripts leave both the same, however much is left to chance in them; one without keys is refused")
    func scripts() async throws {
        let set = "return redis.call('SET', KEYS[1], ARGV[1])"
        #expect(client.ask("EVAL", set, "1", "a", "1") == "OK")
        let chance = "return redis.call('SET', KEYS[1], redis.call('TIME')[2] .. redis.call('RANDOMKEY'))"
        for number in 0..<20 { #expect(client.ask("EVAL", chance, "1", "c\(number)") == "OK") }
        let digest = client.ask("SCRIPT", "LOAD", set) ?? "none"
        #expect(client.ask("EVALSHA", digest, "1", "b", "2") == "OK")
        #expect(client.ask("EVAL_RO", "return redis.call('GET', KEYS[1])", "1", "b") == "2")
        #expect(isRefused(client.ask("EVAL", "return 1", "0")))
        #expect(client.ask("EVAL_RO", "return 1", "0") == "1")
        let library =
            "#!lua name=mine\nredis.register_function('put', function(k, a) return redis.call('SET', k[1], a[1]) end)"
        #expect(client.ask("FUNCTION", "LOAD", library) == "mine")
        #expect(client.ask("FCALL", "put", "1", "d", "3") == "OK")
        #expect(client.ask("GET", "d") == "3")
        try await expectEqual()
        #expect(try RedisClient(to: old.endpoint).ask("FCALL", "put", "1", "d", "3") == "OK")
    }

    @Test("a scan comes to all keys, on the version that it began on")
    func scan() async throws {
        let names = (0..<500).map { "key:\($0)" }
        client.send(names.map { RedisClient.command(["SET", $0, "x"]) }.joined())
        for _ in names { #expect(client.reply() == "OK") }
        var (found, cursor, pages): (Set<String>, String, Int) = ([], "0", 0)
        repeat {
            let page = client.ask("SCAN", cursor, "COUNT", "50")?.split(separator: ",").map(String.init) ?? []
            try #require(!page.isEmpty)
            cursor = page[0]
            found.formUnion(page.dropFirst())
            pages += 1
        } while cursor != "0" && pages < 1000
        #expect(found == Set(names))
        #expect(pages > 1)
        for name in ["HSCAN", "SSCAN", "ZSCAN"] { #expect(client.ask(name, "none", "0") == "0,") }
        try await expectEqual()
    }

    @Test("inline requests are served like all others")
    func inline() async throws {
        client.send("SET a 'x y'\r\nGET a\r\nINCRBYFLOAT f 0.1\r\n")
        for reply in ["OK", "x y", "0.1"] { #expect(client.reply() == reply) }
        try await expectEqual()
    }

    @Test("a command that might wait is refused, and the connection goes on")
    func blocking() async throws {
        for words in [
            ["BLPOP", "l", "0"], ["XREAD", "BLOCK", "0", "STREAMS", "s", "$"],
            ["BLMOVE", "a", "b", "LEFT", "LEFT", "0"],
        ] {
            client.send(RedisClient.command(words))
            #expect(isRefused(client.reply()))
        }
        #expect(client.ask("RPUSH", "l", "1") == "1")
        #expect(client.ask("LPOP", "l") == "1")
        // In a transaction nothing ever waits.
        #expect(client.ask("MULTI") == "OK")
        #expect(client.ask("BLPOP", "l", "0") == "QUEUED")
        #expect(client.ask("EXEC") == "(nil)")
        try await expectEqual()
    }

    @Test("a transaction is done as a whole by both, with all that is left to chance in it, or by nobody")
    func transactions() async throws {
        #expect(client.ask("SADD", "set", "a", "b", "c") == "3")
        #expect(client.ask("MULTI") == "OK")
        let commands = [
            ["INCR", "n"], ["XADD", "s", "*", "f", "v"], ["SPOP", "set"], ["SET", "t", "1", "EX", "1000"],
            ["GET", "n"],
        ]
        for words in commands {
            client.send(RedisClient.command(words))
            #expect(client.reply() == "QUEUED")
        }
        let results = client.ask("EXEC")?.split(separator: ",") ?? []
        #expect(results.count == 5 && results.first == "1" && results.last == "1")
        #expect(client.ask("SCARD", "set") == "2")
        try await expectEqual()
        // What was watched, and changed by another.
        #expect(client.ask("WATCH", "n") == "OK")
        #expect(try RedisClient(to: endpoint).ask("INCR", "n") == "2")
        #expect(client.ask("MULTI") == "OK")
        #expect(client.ask("SET", "n", "lost") == "QUEUED")
        #expect(client.ask("EXEC") == "(nil)")
        #expect(client.ask("GET", "n") == "2")
        // What a server finds wrong when it is queued.
        #expect(client.ask("MULTI") == "OK")
        #expect(client.ask("INCR") == "-ERR wrong number of arguments for 'incr' command")
        #expect(client.ask("EXEC")?.hasPrefix("-EXECABORT") == true)
        try await expectEqual()
    }

    @Test("entries of streams have the same IDs, whatever looks like `*` in them, and are trimmed alike")
    func streams() async throws {
        #expect(client.ask("XADD", "s", "1-1", "f", "*") == "1-1")
        #expect(client.ask("XADD", "s", "NOMKSTREAM", "2-1", "*", "~") == "2-1")
        #expect(client.ask("XADD", "s", "*", "*", "*")?.contains("-") == true)
        for number in 0..<500 {
            client.send(RedisClient.command(["XADD", "long", "MAXLEN", "~", "100", "\(number + 1)-1", "f", "v"]))
            #expect(client.reply() == "\(number + 1)-1")
        }
        #expect(client.ask("XTRIM", "long", "MAXLEN", "~", "10") != nil)
        // What one of the two keeps differently does not matter.
        #expect(client.ask("XGROUP", "CREATE", "s", "streams", "0") == "OK")
        #expect(client.ask("XREADGROUP", "GROUP", "streams", "c", "COUNT", "1", "STREAMS", "s", ">") == "s,1-1,f,*")
        #expect(isRefused(client.ask("XREADGROUP", "GROUP", "streams", "c", "BLOCK", "0", "STREAMS", "s", ">")))
        try await expectEqual()
    }

    @Test("a client that quits is answered, and then its connection ends")
    func quit() throws {
        client.send(
            RedisClient.command(["SET", "a", "1"]) + RedisClient.command(["QUIT"]) + RedisClient.command(["PING"]))
        for reply in ["OK", "OK", nil] { #expect(client.reply() == reply) }
        #expect(proxy.counters.refused == 0)
    }
}
