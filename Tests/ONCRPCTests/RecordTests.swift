import NIOCore
import ONCRPC
import Testing

/// Goal: records come out of a stream however it is cut, and no length that is announced costs more than it may.
struct RecordTests {
    private func records(_ stream: ByteBuffer, piece: Int, limits: RPCLimits = .standard) throws -> [ByteBuffer] {
        var reader = RecordReader(limits: limits)
        var stream = stream
        var records: [ByteBuffer] = []
        while let bytes = stream.readSlice(length: min(piece, stream.readableBytes)), bytes.readableBytes > 0 {
            reader.append(bytes)
            while let record = try reader.next() { records.append(record) }
        }
        try reader.end()
        return records
    }

    private func limits(bytes: Int = 100, fragments: Int = 4) -> RPCLimits {
        var limits = RPCLimits()
        limits.recordBytesMax = bytes
        limits.fragmentsMax = fragments
        return limits
    }

    @Test("fragments become records, whatever the pieces they come in", arguments: 1...40)
    func pieces(piece: Int) throws {
        let stream = hex("80000003 616263 00000002 6465 00000000 80000001 66 80000000 00000001 67 80000000")
        #expect(try records(stream, piece: piece) == [text("abc"), text("def"), text(""), text("g")])
    }

    @Test("what is written is read")
    func roundTrip() throws {
        let message = ByteBuffer(repeating: 0x5A, count: RPCLimits.standard.recordBytesMax)
        let stream = RecordMarking.record(message)
        #expect(stream.readableBytes == message.readableBytes + 4)
        #expect(try records(stream, piece: 1 << 16) == [message])
    }

    @Test("a length beyond the limit is refused as soon as it is announced")
    func tooLong() throws {
        var reader = RecordReader()
        reader.append(hex("80100401"))
        #expect(throws: RecordError.tooLong(bytes: 1_049_601, max: 1_049_600)) { try reader.next() }
        reader = RecordReader()
        reader.append(hex("7fffffff"))
        #expect(throws: RecordError.tooLong(bytes: 2_147_483_647, max: 1_049_600)) { try reader.next() }
        // The bytes of another protocol, as a web browser would send them.
        reader = RecordReader()
        reader.append(text("GET / HTTP/1.1\r\n"))
        #expect(throws: RecordError.self) { try reader.next() }
    }

    @Test("the fragments of a record are not longer together than one may be")
    func tooLongTogether() throws {
        var reader = RecordReader(limits: limits(bytes: 5))
        reader.append(hex("00000003 616263 80000003"))
        #expect(throws: RecordError.tooLong(bytes: 6, max: 5)) { try reader.next() }
    }

    @Test("a record has no more fragments than it may, even empty ones")
    func manyFragments() throws {
        let four = hex("00000000 00000000 00000000 80000000")
        #expect(try records(four + four, piece: 3, limits: limits()) == [text(""), text("")])
        #expect(throws: RecordError.tooManyFragments(max: 4)) {
            try records(hex("00000000") + four, piece: 3, limits: limits())
        }
    }

    @Test("a stream that ends within a record is cut off", arguments: 1..<12)
    func truncated(length: Int) throws {
        let stream = hex("00000002 6162 80000002 6364")
        let part = try #require(stream.getSlice(at: 0, length: length))
        #expect(throws: RecordError.truncated) { try records(part, piece: 5) }
    }
}

private func + (left: ByteBuffer, right: ByteBuffer) -> ByteBuffer {
    var both = left
    both.writeImmutableBuffer(right)
    return both
}
