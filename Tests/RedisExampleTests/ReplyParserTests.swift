import RedisCheckModel
import Testing

@Suite("Replies")
struct ReplyParserTests {
    private let text = "+OK\r\n-ERR no\r\n:-3\r\n$3\r\na\rb\r\n$-1\r\n*2\r\n$1\r\nx\r\n*0\r\n*-1\r\n"
    private let replies: [Reply] = [
        .ok, .error("ERR no"), .integer(-3), .bulk("a\rb"), .bulk(nil), .array([.bulk("x"), .array([])]), .array(nil),
    ]

    @Test("replies are read, all at once and byte by byte", arguments: [1, 2, 1000])
    func read(_ size: Int) throws {
        let bytes = Array(text.utf8)
        var parser = ReplyParser()
        var found: [Reply] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            parser.append(bytes[start..<min(start + size, bytes.count)])
            while let reply = try parser.next() { found.append(reply) }
        }
        #expect(found == replies)
    }

    @Test("what is no reply is refused", arguments: ["?\r\n", ":x\r\n", "$1\r\nabc", "\r\n"])
    func malformed(_ text: String) {
        var parser = ReplyParser()
        parser.append(Array(text.utf8)[...])
        #expect(throws: ReplyParser.Malformed.self) { try parser.next() }
    }

    @Test("a key is read back as it was written")
    func readBack() throws {
        #expect(
            try ReadBack.entry([.array([.bulk("m"), .bulk("7")]), .integer(-1)], .sorted) == Entry(.sorted(["m": 7])))
        #expect(try ReadBack.entry([.bulk("x"), .integer(999_000)], .text) == Entry(.text("x"), expires: true))
        #expect(try ReadBack.entry([.array([]), .integer(-2)], .list) == nil)
        #expect(throws: Problem.self) { try ReadBack.entry([.bulk("x"), .integer(5)], .text) }
        #expect(throws: Problem.self) { try ReadBack.entry([.error("ERR no"), .integer(5)], .text) }
    }
}
