import RedisAdapter
import Testing
import VersionKit
import VersionKitTesting

@Suite("RedisAdapter: RESP")
struct RedisFramingTests {
    private let adapter = RedisAdapter()

    @Test("fed byte by byte, requests are understood as when they come at once")
    func dripFed() throws {
        let text =
            "\r\n" + redisWords("SET a b") + "PING\r\n*0\r\n*-1\r\n" + redisWords("INCR a") + "  get  k \n"
            + redisWords("DEL k")
        let alone = redisWords("SET a b", "INCR a", "DEL k")
        let all = redisWords("SET a b", "PING", "INCR a", "get k", "DEL k")
        var whole = InMemoryProxy.greeted([1, 2])
        whole.say(text)
        #expect(whole.sent(1) == alone)
        #expect(whole.sent(2) == all)
        var dripped = InMemoryProxy.greeted([1, 2])
        for byte in text.utf8 { dripped.say(String(UnicodeScalar(byte))) }
        #expect(dripped.sent(1) == alone)
        #expect(dripped.sent(2) == all)
    }

    @Test("what a quick look says of a command, parsing and dispatching it say, too")
    func glances() throws {
        let commands = [
            "GET k", "get k", "GETX k", "GET", "SET k v", "SET k v EX 5", "SETEX k 5 v", "SETNX k v", "INCR k",
            "MGET a b",
            "MSET a 1 b 2", "DEL a", "DEL a b", "SPOP k", "PING", "ECHO x", "CONFIG GET x", "CONFIG SET x y",
            "EVAL x 0",
            "EVAL x 1 k", "XREAD STREAMS s 0", "XREAD BLOCK 0 STREAMS s 0", "BLPOP k 0", "SCAN 0", "SSCAN k 0", "MULTI",
            "EXEC", "SELECT 1", "AUTH x", "HELLO 3", "LPUSH k a", "RPOP k", "HSET k f v", "HGETALL k", "GETEX k",
            "GETEX k EX 5", "XADD k * f v", "XADD k 1-1 f v", "COPY a b", "MOVE k 1", "SORT k", "SORT k STORE d",
            "OBJECT ENCODING k", "MEMORY USAGE k", "TOUCH k", "EXISTS a b", "PFADD k a", "PFCOUNT k", "FLUSHALL",
            "SWAPDB 0 1", "FUNCTION LIST", "SUBSCRIBE c", "PUBLISH c m", "DEBUG SLEEP 0", "RESTORE k 0 x", "EXPIRE k 5",
            "PEXPIREAT k 5", "GEOADD k 1 1 m", "GETDEL k", "BITOP AND a b", "BITFIELD k SET u8 0 1", "RENAME a b",
            "SMOVE a b m", "LMOVE a b LEFT RIGHT", "ZADD k 1 m", "ZRANGEBYSCORE k 0 1", "SINTERCARD 1 k", "QUIT",
            "acl|cat x", "client|id x", "CLIENT ID", "SHUTDOWN", "WATCH k", "UNWATCH", "RESET", "MONITOR", "INFO",
            "TIME",
            "APPEND k x", "STRLEN k", "GETRANGE k 0 1", "LINSERT k BEFORE a b", "HINCRBYFLOAT k f 1", "nonsense", "x",
        ]
        let samples = commands.map { ByteBuffer(string: redisWords($0)) }
        let odd = [
            "*1\r\n$4\r\n\0get\r\n", "*0\r\n", "*-1\r\n", "PING\r\n", "*1\r\n$-1\r\n", "*2\r\n$3\r\nGET\r\n$0\r\n\r\n",
        ]
        try FramingCheck(adapter).glances(
            samples + odd.map { ByteBuffer(string: $0) }, from: 1, seed: 1, rounds: 20_000)
        let replies = [
            "+OK\r\n", "-ERR x\r\n", ":1\r\n", "$-1\r\n", "$0\r\n\r\n", "$2\r\nab\r\n", "*0\r\n", "*-1\r\n",
            "*1\r\n$1\r\na\r\n",
            "_\r\n", "#t\r\n", ",1.5\r\n", "%1\r\n+a\r\n:1\r\n", "~1\r\n:1\r\n", "!3\r\nERR\r\n", ">1\r\n+a\r\n:1\r\n",
            "|1\r\n+a\r\n:1\r\n:2\r\n", "-LOADING x\r\n",
        ]
        let answered = replies.map { (request: samples[0], reply: ByteBuffer(string: $0)) }
        try FramingCheck(adapter).glancedReplies(answered, from: 1)
        try FramingCheck(adapter).damagedReplies(answered, from: 1, seed: 1, rounds: 20_000)
    }

    @Test("pipelined requests are answered in their order")
    func pipelined() throws {
        var talk = InMemoryProxy.greeted([1, 2])
        talk.say(redisWords("SET a b") + redisWords("NONSENSE") + redisWords("GET a"))
        talk.answer("+OK\r\n$1\r\nb\r\n", from: 2)
        #expect(talk.received().isEmpty)
        talk.answer("+OK\r\n", from: 1)
        #expect(talk.received() == "+OK\r\n-ERR VersionKit: unknown command 'NONSENSE'\r\n$1\r\nb\r\n")
    }

    @Test(
        "every kind of reply is passed on byte for byte, and not before it is complete",
        arguments: [
            "+OK\r\n", ":-12\r\n", "$0\r\n\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n", "*2\r\n*1\r\n:1\r\n$2\r\n\r\n\r\n",
            "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n_\r\n", "~2\r\n#t\r\n#f\r\n", ",1.5e300\r\n", "(12345678901234567890123\r\n",
            "=7\r\ntxt:abc\r\n", "_\r\n", "|1\r\n+ttl\r\n:1\r\n$1\r\nx\r\n", ">2\r\n+invalidate\r\n*1\r\n+k\r\n:1\r\n",
            "*1\r\n|1\r\n+a\r\n:1\r\n:2\r\n", ",inf\r\n",
        ])
    func replies(_ text: String) throws {
        var talk = InMemoryProxy.greeted([1])
        talk.ask("GET k")
        for byte in text.utf8.dropLast() { talk.answer(String(UnicodeScalar(byte)), from: 1) }
        #expect(talk.received().isEmpty)
        talk.answer(String(text.suffix(1) == "\r\n" ? "\n" : text.suffix(1)), from: 1)
        #expect(talk.received() == text)
    }

    @Test("a reply as deep as a message is long is no trouble")
    func deep() throws {
        var talk = InMemoryProxy.greeted([1])
        talk.ask("GET k")
        let text = String(repeating: "*1\r\n", count: 100_000) + ":1\r\n"
        talk.answer(text, from: 1)
        #expect(talk.received() == text)
    }

    @Test(
        "what is not of the protocol is answered with Redis's words, and the connection is closed",
        arguments: [
            ("*1\r\n:1\r\n", "expected '$', got ':'"), ("*x\r\n", "invalid multibulk length"),
            ("*9999999\r\n", "invalid multibulk length"), ("*1\r\n$x\r\n", "invalid bulk length"),
            ("*1\r\n$-1\r\n", "invalid bulk length"), ("*1\r\n$999999999\r\n", "invalid bulk length"),
            ("GET \"a\r\n", "unbalanced quotes in request"), ("GET \"a\"b\r\n", "unbalanced quotes in request"),
            (String(repeating: "a", count: 70_000), "too big inline request"),
            (String(repeating: "\r\n", count: 40_000), "too big inline request"),
            ("*1\r\n$4\r\nPINGxx", "expected an end of line after a bulk string"),
            ("*1111111111111111111111\r\n", "invalid multibulk length"),
        ])
    func garbage(_ text: String, _ why: String) throws {
        var talk = InMemoryProxy.greeted([1])
        talk.say(redisWords("GET k"))
        talk.say(text)
        #expect(talk.received().isEmpty)
        talk.answer("$-1\r\n", from: 1)
        #expect(talk.received() == "$-1\r\n-ERR Protocol error: \(why)\r\n")
        #expect(talk.isClosed("client"))
    }

    @Test(
        "a version whose reply is not of the protocol is lost",
        arguments: ["x\r\n", "$x\r\n", "*9999999999\r\n", "$1\r\nab\r\n", "\r\n\r\n", "%99999999\r\n"])
    func badReplies(_ text: String) throws {
        var talk = InMemoryProxy.greeted([1])
        talk.ask("GET k")
        talk.answer(text, from: 1)
        #expect(talk.takeDropped(1, of: "client") == true)
    }

    @Test("inline requests are split as a Redis splits them, and sent in the usual form")
    func inline() throws {
        var talk = InMemoryProxy.greeted([1])
        talk.say("set 'a b'  \"\\x41\\n\\\"\" \r\n")
        #expect(talk.requests(1) == "*3\r\n$3\r\nset\r\n$3\r\na b\r\n$3\r\nA\n\"\r\n")
        talk.say("set a'b\\'\\n'\tx\\ny \"\"\n")
        #expect(talk.requests(1) == "*4\r\n$3\r\nset\r\n$5\r\nab'\\n\r\n$4\r\nx\\ny\r\n$0\r\n\r\n")
    }

    @Test("a large value that comes in pieces is not looked at again and again")
    func large() throws {
        var talk = InMemoryProxy.greeted([1])
        let piece = String(repeating: "x", count: 1 << 10)
        talk.say("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$\(1 << 22)\r\n")
        for _ in 0..<(1 << 12) { talk.say(piece) }
        #expect(talk.isSilent)
        talk.say("\r\n")
        #expect(talk.requests(1).utf8.count == (1 << 22) + 32)
    }
}
