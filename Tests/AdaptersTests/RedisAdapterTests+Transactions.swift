import RedisAdapter
import Testing
import VersionKit

@Suite("RedisAdapter: transactions")
struct RedisTransactionTests {
    private func words(_ texts: String...) -> String { texts.map(RedisTalk.words).joined() }

    @Test("a transaction is kept until its EXEC, and then goes to both in one piece, in the order of all its keys")
    func execution() throws {
        var talk = try RedisTalk.greeted([1, 2])
        for text in ["MULTI", "INCR a", "EXPIRE b 10", "PTTL c"] { try talk.ask(text) }
        #expect(talk.takeReceived() == "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n")
        #expect(talk.sent.isEmpty)
        try talk.ask("EXEC")
        let block = words("UNWATCH", "MULTI", "INCR a", "PEXPIREAT b 1700000010000", "PTTL c", "EXEC")
        #expect(talk.takeSent(1) == block)
        #expect(talk.takeSent(2) == block)
        #expect(talk.takeOrdered() == [[redisMark("a"), redisMark("b")]])
        try talk.reply("+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n:1\r\n:1\r\n:8\r\n", from: 1)
        // How long a key has to live is no matter of agreement.
        try talk.reply("+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n:1\r\n:1\r\n:7\r\n", from: 2)
        #expect(talk.takeReceived() == "*3\r\n:1\r\n:1\r\n:7\r\n")
        #expect(talk.copied.isEmpty)
    }

    @Test("a write of a transaction that the versions answer differently is made the same")
    func disagreement() throws {
        var talk = try RedisTalk.greeted([1, 2])
        for text in ["MULTI", "INCR a", "EXEC"] { try talk.ask(text) }
        try talk.reply("+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n:1\r\n", from: 1)
        try talk.reply("+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n:2\r\n", from: 2)
        #expect(talk.copied == [1: [[redisKey("a")]]])
    }

    @Test("a transaction with something left to chance one version does")
    func led() throws {
        var talk = try RedisTalk.greeted([1, 2])
        for text in ["MULTI", "SPOP s", "BLPOP l 0", "EXEC"] { try talk.ask(text) }
        #expect(talk.takeSent(1).isEmpty)
        try talk.reply("+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n$1\r\nx\r\n*-1\r\n", from: 2)
        #expect(talk.takeReceived().hasSuffix("*2\r\n$1\r\nx\r\n*-1\r\n"))
        #expect(talk.copied == [1: [[redisKey("s"), redisKey("l")]]])
    }

    @Test("a transaction that only reads goes to the newest version")
    func reads() throws {
        var talk = try RedisTalk.greeted([1, 2])
        for text in ["MULTI", "GET a", "EXEC"] { try talk.ask(text) }
        #expect(talk.takeSent(1).isEmpty)
        #expect(talk.takeSent(2) == words("UNWATCH", "MULTI", "GET a", "EXEC"))
    }

    @Test(
        "a refused command spoils its transaction",
        arguments: ["NONSENSE", "SELECT 1", "SCAN 0", "SUBSCRIBE c", "GET", "WATCH a"])
    func spoiled(_ text: String) throws {
        var talk = try RedisTalk.greeted([1, 2])
        for text in ["MULTI", "SET a b", text] { try talk.ask(text) }
        #expect(talk.takeReceived().hasPrefix("+OK\r\n+QUEUED\r\n-ERR "))
        try talk.ask("EXEC")
        #expect(talk.takeReceived().hasPrefix("-EXECABORT "))
        #expect(talk.sent.isEmpty)
        try talk.ask("EXEC")
        #expect(talk.takeReceived() == "-ERR EXEC without MULTI\r\n")
    }

    @Test("DISCARD forgets what was queued")
    func discard() throws {
        var talk = try RedisTalk.greeted([1, 2])
        for text in ["MULTI", "SET a b", "DISCARD", "DISCARD", "MULTI", "MULTI"] { try talk.ask(text) }
        #expect(
            talk.takeReceived()
                == "+OK\r\n+QUEUED\r\n+OK\r\n-ERR DISCARD without MULTI\r\n+OK\r\n-ERR MULTI calls can not be nested\r\n"
        )
        #expect(talk.sent.isEmpty)
    }

    @Test("a watched transaction reaches the connections that watch, and one that was lost meanwhile executes nothing")
    func watch() throws {
        var talk = try RedisTalk.greeted([1, 2])
        try talk.ask("WATCH a")
        #expect(talk.takeSent(1) == words("UNWATCH", "WATCH a"))
        try talk.reply("+OK\r\n+OK\r\n", from: 1, 2)
        #expect(talk.takeReceived() == "+OK\r\n")
        for text in ["MULTI", "SET a b"] { try talk.ask(text) }
        _ = talk.takeSent(2)
        talk.lose(2)
        try talk.ask("EXEC")
        #expect(talk.takeSent(1) == words("MULTI", "SET a b", "EXEC"))
        let mark = "versionkit:lost-watch"
        let spoiled =
            words("CLIENT SETNAME x", "WATCH \(mark)") + "*3\r\n$3\r\nSET\r\n$21\r\n\(mark)\r\n$0\r\n\r\n"
            + words("DEL \(mark)")
        #expect(talk.takeSent(2) == spoiled + words("MULTI", "SET a b", "EXEC"))
        try talk.reply("+RESET\r\n+OK\r\n+OK\r\n+OK\r\n:1\r\n+OK\r\n+QUEUED\r\n*-1\r\n", from: 2)
        try talk.reply("+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n", from: 1)
        #expect(talk.takeReceived() == "+OK\r\n+QUEUED\r\n*-1\r\n")
        #expect(talk.copied == [1: [[redisKey("a")]]])
    }

    @Test("a large transaction keeps its order")
    func large() throws {
        var talk = try RedisTalk.greeted([1])
        try talk.ask("MULTI")
        for number in 0..<1000 { try talk.ask("RPUSH l \(number)") }
        try talk.ask("EXEC")
        let block = ["UNWATCH", "MULTI"] + (0..<1000).map { "RPUSH l \($0)" } + ["EXEC"]
        #expect(talk.takeSent(1) == block.map { words($0) }.joined())
    }
}
