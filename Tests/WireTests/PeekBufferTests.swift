import NIOCore
import Testing
import VersionKitWire

@Suite("PeekBuffer")
struct PeekBufferTests {
    private let newline = UInt8(ascii: "\n")

    @Test("peeking moves on through the bytes and consumes none")
    func peeks() {
        var buffer = PeekBuffer(ByteBuffer(string: "abcdef"))
        #expect(buffer.peek(2).map { String(buffer: $0) } == "ab")
        #expect(buffer.peek(3).map { String(buffer: $0) } == "cde")
        #expect(buffer.peekedBytes == 5)
        #expect(buffer.availableBytes == 1)
        #expect(buffer.count == 6)
        buffer.resetPeek()
        #expect(buffer.peek(1).map { String(buffer: $0) } == "a")
    }

    @Test("a peek that is not complete leaves the mark where it was")
    func incomplete() {
        var buffer = PeekBuffer(ByteBuffer(bytes: [0, 0, 1]))
        #expect(buffer.peek(4) == nil)
        #expect(buffer.peekInteger(as: UInt32.self) == nil)
        #expect(buffer.peek(upTo: newline, lengthMax: 10) == nil)
        #expect(buffer.peekedBytes == 0)
        buffer.append(ByteBuffer(bytes: [2]))
        #expect(buffer.peekInteger(as: UInt32.self) == 0x102)
    }

    @Test("appending keeps the mark")
    func append() {
        var buffer = PeekBuffer(ByteBuffer(string: "ab"))
        _ = buffer.peek(2)
        buffer.append(ByteBuffer(string: "cd"))
        #expect(buffer.peek(2).map { String(buffer: $0) } == "cd")
    }

    @Test("a line ends at its delimiter, which is skipped, and is not longer than its limit")
    func lines() {
        var buffer = PeekBuffer(ByteBuffer(string: "one\n\nthree\n"))
        #expect(buffer.peek(upTo: newline, lengthMax: 3).map { String(buffer: $0) } == "one")
        #expect(buffer.peek(upTo: newline, lengthMax: 3).map { String(buffer: $0) } == "")
        #expect(buffer.peek(upTo: newline, lengthMax: 4) == nil)
        #expect(buffer.peek(upTo: newline, lengthMax: 5).map { String(buffer: $0) } == "three")
        #expect(buffer.availableBytes == 0)
    }

    @Test("the bytes that are still to be peeked can be looked at in place, and skipped")
    func availableInPlace() {
        var buffer = PeekBuffer(ByteBuffer(string: "abcdef"))
        _ = buffer.peek(2)
        #expect(buffer.withUnsafeAvailableBytes { Array($0) } == Array("cdef".utf8))
        #expect(buffer.peekedBytes == 2)
        buffer.skip(3)
        #expect(buffer.withUnsafeAvailableBytes { Array($0) } == Array("f".utf8))
        buffer.skip(1)
        #expect(buffer.withUnsafeAvailableBytes { $0.count } == 0)
        _ = buffer.consume(4)
        #expect(buffer.withUnsafeAvailableBytes { Array($0) } == Array("ef".utf8))
    }

    @Test("consuming takes from the front and resets the mark")
    func consume() {
        var buffer = PeekBuffer(ByteBuffer(string: "abcdef"))
        _ = buffer.peek(5)
        #expect(String(buffer: buffer.consume(2)) == "ab")
        #expect(buffer.peekedBytes == 0)
        #expect(buffer.peek(4).map { String(buffer: $0) } == "cdef")
    }

    @Test("a prefix is independent of the mark, and of what is appended later")
    func prefix() {
        var buffer = PeekBuffer(ByteBuffer(string: "abc"))
        _ = buffer.peek(2)
        let prefix = buffer.prefix(3)
        buffer.append(ByteBuffer(string: "d"))
        #expect(prefix.map { String(buffer: $0) } == "abc")
        #expect(buffer.prefix(5) == nil)
    }

    @Test("negative lengths are answered with nothing")
    func negative() {
        var buffer = PeekBuffer(ByteBuffer(string: "abc"))
        #expect(buffer.peek(-1) == nil)
        #expect(buffer.prefix(-1) == nil)
    }
}
