import NIOCore
import Testing
import VersionKitFraming
import VersionKitProxy
import VersionKitWire

@Suite("Lines and length prefixes")
struct LinesTests {
    private static let tooLong = ProxyError.malformedRequest("too long")

    private func line(_ text: String) throws(ProxyError) -> (line: String?, used: Int) {
        var bytes = PeekBuffer(ByteBuffer(string: text))
        let line = try bytes.peekLine(lengthMax: 4, orThrow: Self.tooLong)
        return (line.map { String(buffer: $0) }, bytes.peekedBytes)
    }

    @Test(
        "a line ends with a line feed, with or without a carriage return before it",
        arguments: [("ab\ncd", "ab", 3), ("ab\r\n", "ab", 4), ("\n", "", 1), ("\r\n", "", 2), ("a\rb\n", "a\rb", 4)])
    func ends(_ text: String, _ expected: String, _ used: Int) throws {
        let found = try line(text)
        #expect(found.line == expected)
        #expect(found.used == used)
    }

    @Test("a line that is not complete is not taken", arguments: ["", "ab", "abcd", "abc\r"])
    func incomplete(_ text: String) throws {
        let found = try line(text)
        #expect(found.line == nil)
        #expect(found.used == 0)
    }

    @Test(
        "a line that is too long is an error, whether its end is there or not",
        arguments: ["abcde", "abcde\n", "abcd\r\n"])
    func tooLong(_ text: String) {
        #expect(throws: Self.tooLong) { try line(text) }
    }

    @Test("spaces separate words, however many of them")
    func words() {
        #expect(ByteBuffer(string: " get  a b ").words == ["get", "a", "b"].map { ByteBuffer(string: $0) })
        #expect(ByteBuffer(string: "").words.isEmpty)
    }

    private func prefixed(_ bytes: [UInt8]) throws(ProxyError) -> (content: [UInt8]?, used: Int) {
        var buffer = PeekBuffer(ByteBuffer(bytes: bytes))
        let content = try buffer.peekPrefixed(by: UInt16.self, lengths: 1...3, orThrow: Self.tooLong)
        return (content.map { Array($0.readableBytesView) }, buffer.peekedBytes)
    }

    @Test("bytes come behind their number")
    func prefixes() throws {
        let found = try prefixed([0, 2, 7, 8, 9])
        #expect(found.content == [7, 8])
        #expect(found.used == 4)
    }

    @Test("bytes that are not all there are not taken, nor their number", arguments: [[], [0], [0, 2], [0, 2, 7]])
    func incompletePrefixes(_ bytes: [UInt8]) throws {
        let found = try prefixed(bytes)
        #expect(found.content == nil)
        #expect(found.used == 0)
    }

    @Test("a number out of bounds is an error at once", arguments: [[0, 0], [0, 4], [255, 255]])
    func prefixOutOfBounds(_ bytes: [UInt8]) {
        #expect(throws: Self.tooLong) { try prefixed(bytes) }
    }

    @Test("a length that no machine can have is an error, not a trap")
    func immense() {
        var buffer = PeekBuffer(ByteBuffer(integer: UInt64.max))
        #expect(throws: Self.tooLong) {
            try buffer.peekPrefixed(by: UInt64.self, lengths: 0...9, orThrow: Self.tooLong)
        }
    }
}
