import RedisAdapter
import Testing
import VersionKit
import VersionKitTesting

@Suite("RedisAdapter: transactions")
struct RedisTransactionTests {
    @Test("a transaction is kept until its EXEC, and then goes to both in one piece, in the order of all its keys")
    func execution() throws {
        var talk = InMemoryProxy.greeted([1, 2])
        for text in ["MULTI", "INCR a", "EXPIRE b 10", "PTTL c"] { talk.ask(text) }
        #expect(talk.received() == "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n")
        #expect(talk.isSilent)
        talk.ask("EXEC")
        let block = redisWords("UNWATCH", "MULTI", "INCR a", "PEXPIREAT b 1700000010000", "PTTL c", "EXEC")
        #expect(talk.requests(1) == block)
        #expect(talk.requests(2) == block)
        #expect(talk.takeOrdered() == [[redisMark("a"), redisMark("b")]])
        talk.answer("+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n:1\r\n:1\r\n:8\r\n", from: 1)
        // How long a key has to live is no matter of agreement.
        talk.answer("+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n:1\r\n:1\r\n:7\r\n", from: 2)
        #expect(talk.received() == "*3\r\n:1\r\n:1\r\n:7\r\n")
        #expect(talk.isEven)
    }

    @Test("a write of a transaction that the versions answer differently is made the same")
    func disagreement() throws {
        var talk = InMemoryProxy.greeted([1, 2])
        for text in ["MULTI", "INCR a", "EXEC"] { talk.ask(text) }
        talk.answer("+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n:1\r\n", from: 1)
        talk.answer("+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n:2\r\n", from: 2)
        #expect(talk.missed == [1: [MissedWrite(redisKeys("a"), .copy)]])
    }

    @Test("a transaction with something left to chance one version does")
    func led() throws {
        var talk = InMemoryProxy.greeted([1, 2])
        for text in ["MULTI", "SPOP s", "BLPOP l 0", "EXEC"] { talk.ask(text) }
        #expect(talk.requests(1).isEmpty)
        talk.answer("+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n$1\r\nx\r\n*-1\r\n", from: 2)
        #expect(talk.received().hasSuffix("*2\r\n$1\r\nx\r\n*-1\r\n"))
        #expect(talk.missed == [1: [MissedWrite(redisKeys("s", "l"), .copy)]])
    }

    @Test("a transaction that only reads goes to the newest version")
    func reads() throws {
        var talk = InMemoryProxy.greeted([1, 2])
        for text in ["MULTI", "GET a", "EXEC"] { talk.ask(text) }
        #expect(talk.requests(1).isEmpty)
        #expect(talk.requests(2) == redisWords("UNWATCH", "MULTI", "GET a", "EXEC"))
    }

    @Test(
        "a refused command spoils its transaction",
        arguments: ["NONSENSE", "SELECT 1", "SCAN 0", "SUBSCRIBE c", "GET", "WATCH a"])
    func spoiled(_ text: String) throws {
        var talk = InMemoryProxy.greeted([1, 2])
        for text in ["MULTI", "SET a b", text] { talk.ask(text) }
        #expect(talk.received().hasPrefix("+OK\r\n+QUEUED\r\n-ERR "))
        talk.ask("EXEC")
        #expect(talk.received().hasPrefix("-EXECABORT "))
        #expect(talk.isSilent)
        talk.ask("EXEC")
        #expect(talk.received() == "-ERR EXEC without MULTI\r\n")
    }

    @Test("DISCARD forgets what was queued")
    func discard() throws {
        var talk = InMemoryProxy.greeted([1, 2])
        for text in ["MULTI", "SET a b", "DISCARD", "DISCARD", "MULTI", "MULTI"] { talk.ask(text) }
        #expect(
            talk.received()
                == "+OK\r\n+QUEUED\r\n+OK\r\n-ERR DISCARD without MULTI\r\n+OK\r\n-ERR MULTI calls can not be nested\r\n"
        )
        #expect(talk.isSilent)
    }

    @Test("a watched transaction reaches the connections that watch, and one that was lost meanwhile executes nothing")
    func watch() throws {
        var talk = InMemoryProxy.greeted([1, 2])
        talk.ask("WATCH a")
        #expect(talk.requests(1) == redisWords("UNWATCH", "WATCH a"))
        talk.answer("+OK\r\n+OK\r\n", from: 1, 2)
        #expect(talk.received() == "+OK\r\n")
        for text in ["MULTI", "SET a b"] { talk.ask(text) }
        _ = talk.requests(2)
        talk.lose(2)
        talk.ask("EXEC")
        #expect(talk.requests(1) == redisWords("MULTI", "SET a b", "EXEC"))
        let mark = "versionkit:lost-watch"
        let spoiled =
            redisWords("CLIENT SETNAME x", "WATCH \(mark)") + "*3\r\n$3\r\nSET\r\n$21\r\n\(mark)\r\n$0\r\n\r\n"
            + redisWords("DEL \(mark)")
        #expect(talk.requests(2) == spoiled + redisWords("MULTI", "SET a b", "EXEC"))
        talk.answer("+RESET\r\n+OK\r\n+OK\r\n+OK\r\n:1\r\n+OK\r\n+QUEUED\r\n*-1\r\n", from: 2)
        talk.answer("+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n", from: 1)
        #expect(talk.received() == "+OK\r\n+QUEUED\r\n*-1\r\n")
        #expect(talk.missed == [1: [MissedWrite(redisKeys("a"), .copy)]])
    }

    @Test("a large transaction keeps its order")
    func large() throws {
        var talk = InMemoryProxy.greeted([1])
        talk.ask("MULTI")
        for number in 0..<1000 { talk.ask("RPUSH l \(number)") }
        talk.ask("EXEC")
        let block = ["UNWATCH", "MULTI"] + (0..<1000).map { "RPUSH l \($0)" } + ["EXEC"]
        #expect(talk.requests(1) == block.map { redisWords($0) }.joined())
    }
}
