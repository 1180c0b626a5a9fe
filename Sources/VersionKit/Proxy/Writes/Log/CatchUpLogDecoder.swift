public import NIOCore
public import VersionKitModel

/// Reads the bytes of one file of a catch-up log, however they come.
///
/// A state machine: bytes are added, records taken. Never more than the bytes that were added are kept.
public struct CatchUpLogDecoder: Sendable {
    /// What every file begins with: three letters, and the number of the format. Changed formats have other numbers.
    public static let prologue: [UInt8] = Array("VKM".utf8) + [1]

    private let recordBytesMax: Int
    private var unread = ByteBuffer()
    private var offset = 0
    private var failure: CatchUpLogError?

    /// A decoder at the beginning of a file.
    public init(limits: Limits = .standard) { recordBytesMax = limits.catchUpRecordBytesMax }

    /// More of the file.
    public mutating func append(_ bytes: ByteBuffer) {
        if unread.readableBytes == 0 {
            unread = bytes
        } else {
            unread.discardReadBytes()
            unread.writeImmutableBuffer(bytes)
        }
    }

    /// Whether there are bytes that make no whole record: at the end of a file, that its writer was killed while it
    /// wrote the record. Nobody counts on that one, so it may be left out.
    public var isTorn: Bool { unread.readableBytes > 0 }

    /// The next record, or `nil` if it is not complete.
    ///
    /// - Throws: ``CatchUpLogError``; then again whenever it is asked.
    public mutating func next() throws(CatchUpLogError) -> CatchUpRecord? {
        if let failure { throw failure }
        do throws(CatchUpLogError) {
            return try read()
        } catch {
            failure = error
            throw error
        }
    }

    private mutating func read() throws(CatchUpLogError) -> CatchUpRecord? {
        if offset == 0 {
            let begun = unread.readableBytesView.prefix(Self.prologue.count)
            guard begun.elementsEqual(Self.prologue.prefix(begun.count)) else { throw error(.foreign) }
            guard begun.count == Self.prologue.count else { return nil }
            consume(Self.prologue.count)
        }
        let start = unread.readerIndex
        guard let length = unread.getInteger(at: start, as: UInt32.self),
            let lengthSum = unread.getInteger(at: start + 4, as: UInt32.self)
        else { return nil }
        guard lengthSum == CatchUpRecord.checksum(ofLength: length) else { throw error(.damaged) }
        guard Int(length) <= recordBytesMax else { throw error(.tooLong) }
        guard let sum = unread.getInteger(at: start + 8, as: UInt32.self),
            let body = unread.getSlice(at: start + CatchUpRecord.headerBytes, length: Int(length))
        else { return nil }
        guard sum == Checksum.crc32(body.readableBytesView) else { throw error(.damaged) }
        guard let record = CatchUpRecord(body: body) else { throw error(.unknown) }
        consume(CatchUpRecord.headerBytes + Int(length))
        return record
    }

    private mutating func consume(_ count: Int) {
        unread.moveReaderIndex(forwardBy: count)
        offset += count
    }

    private func error(_ code: CatchUpLogError.Code) -> CatchUpLogError { CatchUpLogError(code, at: offset) }
}
