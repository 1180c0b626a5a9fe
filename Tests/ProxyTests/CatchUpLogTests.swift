import NIOCore
import Testing
import VersionKitModel
import VersionKitProxy

/// A log is read as it was written; torn at any byte it gives what was whole, and whatever its bytes are, no crash.
@Suite("CatchUpLog")
struct CatchUpLogTests {
    private static func key(_ name: String) -> ByteBuffer { ByteBuffer(string: name) }

    private static let records: [CatchUpRecord] = [
        .missed(MissedWrite(.key(key("a")), .replay(key("write a\n"), prelude: [])), sequence: 1),
        .missed(
            MissedWrite(
                Keys([key("a"), key("b")]), .replay(key("write b\n"), prelude: [key("hello"), key("")]),
                isIdempotent: true), sequence: 2),
        .begun(through: 1), .done(through: 1),
        .missed(MissedWrite(.everything, .replay(key(""), prelude: [])), sequence: 3),
        .missed(MissedWrite(.none, .copy), sequence: 4), .missed(MissedWrite(.everything, .copy), sequence: 5),
        .everything, .doubted, .copied(sequence: 4), .done(through: .max),
    ]

    /// The log's bytes, and where each record ends.
    private static func log(_ records: [CatchUpRecord]) -> (bytes: ByteBuffer, ends: [Int]) {
        var bytes = ByteBuffer(bytes: CatchUpLogDecoder.prologue)
        var ends: [Int] = []
        for record in records {
            record.encode(into: &bytes)
            ends.append(bytes.readableBytes)
        }
        return (bytes, ends)
    }

    /// Everything up to the end or the first error, with the bytes given so many at a time.
    private static func read(
        _ bytes: ByteBuffer, by step: Int? = nil, limits: Limits = .standard
    ) -> (records: [CatchUpRecord], isTorn: Bool, error: CatchUpLogError?) {
        var decoder = CatchUpLogDecoder(limits: limits)
        var rest = bytes
        var records: [CatchUpRecord] = []
        do throws(CatchUpLogError) {
            repeat {
                let length = min(step ?? .max, rest.readableBytes)
                if let part = rest.readSlice(length: length) { decoder.append(part) }
                while let record = try decoder.next() { records.append(record) }
            } while rest.readableBytes > 0
        } catch {
            return (records, false, error)
        }
        return (records, decoder.isTorn, nil)
    }

    @Test("records are read as they were written, all at once and in pieces", arguments: [nil, 1, 2, 7, 64])
    func roundTrip(_ step: Int?) {
        let (records, isTorn, error) = Self.read(Self.log(Self.records).bytes, by: step)
        #expect(records == Self.records)
        #expect(isTorn == false)
        #expect(error == nil)
    }

    @Test("a log that is torn at any byte gives the records that are whole, and no error")
    func torn() {
        let (bytes, ends) = Self.log(Self.records)
        for length in 0...bytes.readableBytes {
            guard let part = bytes.getSlice(at: 0, length: length) else { continue }
            let (records, isTorn, error) = Self.read(part)
            #expect(records == Array(Self.records.prefix { ends[Self.records.firstIndex(of: $0) ?? 0] <= length }))
            #expect(error == nil)
            #expect(isTorn == (length > 0 && length != CatchUpLogDecoder.prologue.count && !ends.contains(length)))
        }
    }

    @Test("a byte that was changed is an error where it is, and what was before it is still there")
    func damaged() {
        let (bytes, ends) = Self.log(Self.records)
        for index in 0..<bytes.readableBytes {
            var damaged = bytes
            damaged.setInteger((bytes.getInteger(at: index, as: UInt8.self) ?? 0) ^ 0x10, at: index)
            let (records, _, error) = Self.read(damaged)
            let whole = ends.prefix { $0 <= index }.count
            #expect(records == Array(Self.records.prefix(whole)))
            #expect(error?.code == (index < CatchUpLogDecoder.prologue.count ? .foreign : .damaged), "byte \(index)")
            #expect(error?.offset == (whole > 0 ? ends[whole - 1] : index < 4 ? 0 : 4))
        }
    }

    @Test("an error is final")
    func finality() throws {
        var decoder = CatchUpLogDecoder()
        decoder.append(ByteBuffer(string: "no log"))
        #expect(throws: CatchUpLogError(.foreign, at: 0)) { try decoder.next() }
        decoder.append(Self.log(Self.records).bytes)
        #expect(throws: CatchUpLogError(.foreign, at: 0)) { try decoder.next() }
    }

    @Test("a record over the limit is refused before its bytes are waited for")
    func tooLong() {
        var limits = Limits.standard
        limits.catchUpRecordBytesMax = 20
        let (bytes, _) = Self.log([.done(through: 1), Self.records[0]])
        for length in 34...bytes.readableBytes {
            guard let part = bytes.getSlice(at: 0, length: length) else { continue }
            #expect(Self.read(part, limits: limits).error == CatchUpLogError(.tooLong, at: 25))
        }
    }

    @Test("whole records that say nothing known are refused")
    func unknown() {
        // Sealed as records are, with bodies that are none.
        for body in ["", "\u{9}", "\u{1}", "\u{4}x", "\u{2}1234567", "\u{1}12345678\u{80}"] {
            var bytes = ByteBuffer(bytes: CatchUpLogDecoder.prologue)
            Self.seal(Array(body.utf8), into: &bytes)
            #expect(Self.read(bytes).error == CatchUpLogError(.unknown, at: 4), "\(body.debugDescription)")
        }
    }

    @Test("any bytes behind a prologue are answered without a crash")
    func garbage() {
        var random: UInt64 = 7
        for _ in 0..<2000 {
            var body: [UInt8] = []
            random = random &* 6_364_136_223_846_793_005 &+ 1
            for _ in 0..<(random >> 58) {
                random = random &* 6_364_136_223_846_793_005 &+ 1
                body.append(UInt8(truncatingIfNeeded: random >> 40) & (random >> 63 == 0 ? 0xFF : 0x07))
            }
            var sealed = ByteBuffer(bytes: CatchUpLogDecoder.prologue)
            Self.seal(body, into: &sealed)
            _ = Self.read(sealed)
            _ = Self.read(ByteBuffer(bytes: CatchUpLogDecoder.prologue + body))
        }
    }

    /// A body with its length and checksums before it, by another way than the encoder's.
    private static func seal(_ body: [UInt8], into buffer: inout ByteBuffer) {
        func sum(_ bytes: [UInt8]) -> UInt32 {
            var rest: UInt32 = .max
            for byte in bytes {
                rest ^= UInt32(byte)
                for _ in 0..<8 { rest = rest & 1 == 1 ? (rest >> 1) ^ 0xEDB8_8320 : rest >> 1 }
            }
            return ~rest
        }
        let length = ByteBuffer(integer: UInt32(body.count))
        buffer.writeImmutableBuffer(length)
        buffer.writeInteger(sum(Array(length.readableBytesView)))
        buffer.writeInteger(sum(body))
        buffer.writeBytes(body)
    }
}
