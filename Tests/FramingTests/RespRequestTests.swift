import NIOCore
import Testing
import VersionKitFraming
import VersionKitModel
import VersionKitProxy
import VersionKitWire

@Suite("RESP requests")
struct RespRequestTests {
    private static let table = RespCommandTable(
        """
        config -2 -
        config|get -3 -
        get 2 r 1:0,1,0
        mset -3 w 1:-1,2,0
        zunionstore -4 w 1:0,1,0 2:n0,1,1
        xread -4 rb STREAMS@1:-1,1,2
        """)

    private func parse(_ text: String) throws(ProxyError) -> RespRequest? {
        var bytes = PeekBuffer(ByteBuffer(string: text))
        return try RespRequest(&bytes, Self.table)
    }

    private func name(_ text: String) throws -> String? {
        try parse(text)?.commandNumber.map { Self.table.commands[$0].name }
    }

    private func buffers(_ words: String) -> [ByteBuffer] {
        words.split(separator: " ").map { ByteBuffer(string: String($0)) }
    }

    @Test(
        "a command is found by its name in whatever case, with its subcommand if it has one",
        arguments: [
            ("GET a\r\n", "get"), ("gEt\r\n", "get"), ("CONFIG Get a\r\n", "config|get"), ("config\r\n", "config"),
            ("get config\r\n", "get"), ("*2\r\n$3\r\nget\r\n$1\r\na\r\n", "get"),
        ])
    func commands(_ text: String, _ expected: String) throws { #expect(try name(text) == expected) }

    @Test(
        "another name is no command",
        arguments: [
            "ge a\r\n", "gets a\r\n", "config set\r\n", "config|get a\r\n", "CONFIG GETS\r\n", "'get '\r\n", "''\r\n",
            "GE\u{14}\r\n",
            String(repeating: "g", count: 1000) + "\r\n",
        ])
    func unknown(_ text: String) throws {
        #expect(try parse(text) != nil)
        #expect(try name(text) == nil)
    }

    @Test("words are found wherever they stand")
    func words() throws {
        let request = try #require(try parse("*4\r\n$4\r\nMSET\r\n$0\r\n\r\n$2\r\n\r\n\r\n$12\r\nabcdefghijkl\r\n"))
        #expect(request.count == 4)
        #expect(request.words(0) == ["MSET", "", "\r\n", "abcdefghijkl"].map { ByteBuffer(string: $0) })
        #expect(request[2] == ByteBuffer(string: "\r\n"))
        #expect(request[4] == ByteBuffer() && request[-1] == ByteBuffer())
        #expect(request.index(of: "mset", from: 0) == 0 && request.index(of: "mset", from: 1) == nil)
        #expect(request.matches(3, "abcdefghijkl") && !request.matches(2, "abcdefghijkl"))
    }

    @Test(
        "keys are found as the server's specifications say",
        arguments: [
            ("get a", "a"), ("mset a 1 b 2", "a b"), ("zunionstore d 2 a b weights 1 2", "d a b"),
            ("zunionstore d 9 a", "d"), ("zunionstore d -1 a", "d"), ("zunionstore d x a", "d"),
            ("zunionstore d 0 a", "d"), ("xread count 1 Streams s t 0 0", "s t"), ("xread block 0", ""), ("mset", ""),
        ])
    func keys(_ text: String, _ expected: String) throws {
        let request = try #require(try parse(text + "\r\n"))
        let command = Self.table.commands[try #require(request.commandNumber)]
        #expect(command.keys(of: request) == buffers(expected))
    }

    @Test(
        "options are told from what they say, and from what stands behind them",
        arguments: [
            ("get a 1 x y", "a", 3), ("get A 0 B 1 2 x", "a b", 6), ("get a ~ 1 x", "a ~", 4),
            ("get a = b x", "a =", 4),
            ("get c a a", "c a", 4), ("get b ~ a x", "b", 4), ("get ~ 1", "", 1), ("get a", "a", 3), ("get", "", 1),
        ])
    func options(_ text: String, _ names: String, _ end: Int) throws {
        let request = try #require(try parse(text + "\r\n"))
        let options = try #require(request.options(from: 1, ["a": 1, "b": 2, "c": 0]))
        #expect(options.names.joined(separator: " ") == names)
        #expect(options.end == end)
        let many = try #require(try parse("get" + String(repeating: " c", count: 100) + "\r\n"))
        #expect(many.options(from: 1, ["c": 0]) == nil)
    }

    @Test("a request that is rewritten keeps its command, and reads as if a client had sent it")
    func rewriting() throws {
        var request = try #require(try parse("get a\r\n"))
        request.rewrite { $0[1] = ByteBuffer(string: "bc") }
        #expect(request.bytes == ByteBuffer(string: "*2\r\n$3\r\nget\r\n$2\r\nbc\r\n"))
        #expect(request.commandNumber != nil && request.isRewritten)
        request.precede(with: [RespRequest("PING")])
        #expect(request.bytes == ByteBuffer(string: "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nget\r\n$2\r\nbc\r\n"))
        #expect(request[1] == ByteBuffer(string: "bc"))
    }

    @Test("a bulk string may be as long as a message")
    func limits() { #expect(RespLimits.bulkBytesMax == Limits.standard.messageBytesMax) }

    @Test("a transaction keeps its order, and takes no more when there is too much in it")
    func transactions() {
        var transaction = RespTransaction()
        for number in 0..<600 { #expect(transaction.append(RespRequest("INCR", Int64(number))) == true) }
        #expect(transaction.requests.map { $0.integer(1) } == (0..<600).map { Int64($0) })
        let large = RespRequest("SET", "a", String(repeating: "x", count: RespLimits.bulkBytesMax))
        #expect(transaction.append(large) == true)
        #expect(transaction.append(RespRequest("PING")) == false)
        #expect(transaction.requests.count == 601)
    }

    @Test("of what goes before a request the replies are passed over")
    func preceded() throws {
        var request = RespRequest("GET", "a")
        request.precede(with: [RespRequest("PING"), RespRequest("PING")])
        var bytes = PeekBuffer(ByteBuffer(string: "+PONG\r\n+PONG\r\n$1\r\nx\r\n+"))
        let reply = try #require(try RespReply(&bytes, to: request))
        #expect(reply.text == "x" && reply.isRewritten)
        #expect(bytes.availableBytes == 1)
    }

    @Test(
        "a line that is not of a table's form is no command",
        arguments: ["get", "get 2", "get x r", "get 2 r 1", "get 2 r 1:0,0,0"])
    func badLines(_ line: String) { #expect(RespCommand(line[...]) == nil) }

    @Test(
        "of a reply its content and its parts can be had",
        arguments: [
            ("+OK\r\n", "OK"), (":12\r\n", "12"), ("$2\r\n\r\n\r\n", "\r\n"), ("=7\r\ntxt:abc\r\n", "txt:abc"),
            ("!3\r\nERR\r\n", "ERR"),
        ])
    func contents(_ text: String, _ content: String) throws {
        let reply = RespReply(ByteBuffer(string: text))
        #expect(reply.content == ByteBuffer(string: content))
        #expect(RespReply(array: [reply, reply]).elements.map(\.value) == [reply.value, reply.value])
    }

    @Test("there is nothing in a null", arguments: ["$-1\r\n", "*-1\r\n"])
    func nulls(_ text: String) {
        let reply = RespReply(ByteBuffer(string: text))
        #expect(reply.elements.isEmpty)
        #expect(text.hasPrefix("*") || reply.content == nil)
    }
}
