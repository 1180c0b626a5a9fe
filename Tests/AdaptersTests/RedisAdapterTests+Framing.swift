import RedisAdapter
import Testing
import VersionKit

@Suite("RedisAdapter: RESP")
struct RedisFramingTests {
    private let adapter = RedisAdapter()

    private func words(_ text: String) -> String { RedisTalk.words(text) }

    @Test("fed byte by byte, requests are understood as when they come at once")
    func dripFed() throws {
        let text =
            "\r\n" + words("SET a b") + "PING\r\n*0\r\n*-1\r\n" + words("INCR a") + "  get  k \n" + words("DEL k")
        var whole = try RedisTalk.greeted([1, 2])
        try whole.client(text)
        var dripped = try RedisTalk.greeted([1, 2])
        for byte in text.utf8 { try dripped.client(String(UnicodeScalar(byte))) }
        #expect(dripped.sent == whole.sent)
        #expect(whole.sent[1] == words("SET a b") + words("INCR a") + words("DEL k"))
        #expect(whole.sent[2] == ["SET a b", "PING", "INCR a", "get k", "DEL k"].map(words).joined())
    }

    @Test("pipelined requests are answered in their order")
    func pipelined() throws {
        var talk = try RedisTalk.greeted([1, 2])
        try talk.client(words("SET a b") + words("NONSENSE") + words("GET a"))
        try talk.reply("+OK\r\n$1\r\nb\r\n", from: 2)
        #expect(talk.takeReceived().isEmpty)
        try talk.reply("+OK\r\n", from: 1)
        #expect(talk.takeReceived() == "+OK\r\n-ERR VersionKit: unknown command 'NONSENSE'\r\n$1\r\nb\r\n")
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
        var talk = try RedisTalk.greeted([1])
        try talk.ask("GET k")
        for byte in text.utf8.dropLast() { try talk.reply(String(UnicodeScalar(byte)), from: 1) }
        #expect(talk.takeReceived().isEmpty)
        try talk.reply(String(text.suffix(1) == "\r\n" ? "\n" : text.suffix(1)), from: 1)
        #expect(talk.takeReceived() == text)
    }

    @Test("a reply as deep as a message is long is no trouble")
    func deep() throws {
        var talk = try RedisTalk.greeted([1])
        try talk.ask("GET k")
        let text = String(repeating: "*1\r\n", count: 100_000) + ":1\r\n"
        try talk.reply(text, from: 1)
        #expect(talk.takeReceived() == text)
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
        var talk = try RedisTalk.greeted([1])
        try talk.client(words("GET k"))
        try talk.client(text)
        #expect(talk.takeReceived().isEmpty)
        try talk.reply("$-1\r\n", from: 1)
        #expect(talk.takeReceived() == "$-1\r\n-ERR Protocol error: \(why)\r\n")
        #expect(talk.isClosed)
    }

    @Test(
        "a version whose reply is not of the protocol is lost",
        arguments: ["x\r\n", "$x\r\n", "*9999999999\r\n", "$1\r\nab\r\n", "\r\n\r\n", "%99999999\r\n"])
    func badReplies(_ text: String) throws {
        var talk = try RedisTalk.greeted([1])
        try talk.ask("GET k")
        #expect(throws: ProxyError.self) { try talk.reply(text, from: 1) }
    }

    @Test("inline requests are split as a Redis splits them, and sent in the usual form")
    func inline() throws {
        var talk = try RedisTalk.greeted([1])
        try talk.client("set 'a b'  \"\\x41\\n\\\"\" \r\n")
        #expect(talk.takeSent(1) == "*3\r\n$3\r\nset\r\n$3\r\na b\r\n$3\r\nA\n\"\r\n")
        try talk.client("set a'b\\'\\n'\tx\\ny \"\"\n")
        #expect(talk.takeSent(1) == "*4\r\n$3\r\nset\r\n$5\r\nab'\\n\r\n$4\r\nx\\ny\r\n$0\r\n\r\n")
    }

    @Test("a large value that comes in pieces is not looked at again and again")
    func large() throws {
        var talk = try RedisTalk.greeted([1])
        let piece = String(repeating: "x", count: 1 << 10)
        try talk.client("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$\(1 << 22)\r\n")
        for _ in 0..<(1 << 12) { try talk.client(piece) }
        #expect(talk.sent.isEmpty)
        try talk.client("\r\n")
        #expect(talk.takeSent(1).utf8.count == (1 << 22) + 32)
    }
}
