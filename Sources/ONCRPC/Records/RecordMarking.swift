public import NIOCore

/// How messages lie one behind the other in a stream: records of fragments, each with its length in front (RFC 5531,
/// section 11).
public enum RecordMarking {
    /// The highest bit of a fragment's header: no other fragment of the record follows.
    static let lastFragment: UInt32 = 1 << 31

    /// A record of one fragment.
    ///
    /// - Precondition: it has fewer than 2^31 bytes.
    public static func record(_ message: ByteBuffer) -> ByteBuffer {
        precondition(message.readableBytes < Int(lastFragment), "a record of \(message.readableBytes) bytes")
        var bytes = ByteBuffer()
        bytes.reserveCapacity(4 + message.readableBytes)
        bytes.writeInteger(lastFragment | UInt32(message.readableBytes))
        bytes.writeImmutableBuffer(message)
        return bytes
    }
}

/// What of a stream cannot be records. There is no telling where the next one begins: the stream has to end.
public enum RecordError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A record has so many bytes, and perhaps more.
    case tooLong(bytes: Int, max: Int)
    /// A record has more fragments than it may.
    case tooManyFragments(max: Int)
    /// The stream ended within a record.
    case truncated
    /// A record did not come within its time. The reader itself has no clock; whoever has one throws this.
    case tooSlow(Duration)

    /// One sentence.
    public var description: String {
        switch self {
        case .tooLong(let bytes, let max): "a record of \(bytes) bytes or more where \(max) is the most"
        case .tooManyFragments(let max): "a record of more than \(max) fragments"
        case .truncated: "the stream ends within a record"
        case .tooSlow(let time): "a record that takes longer than \(time)"
        }
    }
}

/// Takes the records out of a stream, however it was cut into pieces. A length is refused when it is announced, not when
/// so many bytes have come.
public struct RecordReader: Sendable {
    private let bytesMax: Int
    private let fragmentsMax: Int
    /// What came and was not looked at yet: less than a fragment once ``next()`` gave `nil`.
    private var received = ByteBuffer()
    /// The fragments of the record that has begun; `nil`: none has.
    private var record: ByteBuffer?
    private var fragments = 0

    /// A reader at the beginning of a stream.
    public init(limits: RPCLimits = .standard) {
        bytesMax = limits.recordBytesMax
        fragmentsMax = limits.fragmentsMax
    }

    /// Whether a record has begun to come that is not complete.
    public var isWithinRecord: Bool { received.readableBytes > 0 || record != nil }

    /// Takes what came.
    public mutating func append(_ bytes: ByteBuffer) {
        // Nothing is copied where nothing is waiting.
        if received.readableBytes == 0 { received = bytes } else { received.writeImmutableBuffer(bytes) }
    }

    /// The next record; `nil`: it is not complete yet.
    public mutating func next() throws(RecordError) -> ByteBuffer? {
        while let header: UInt32 = received.getInteger(at: received.readerIndex) {
            let length = Int(header & ~RecordMarking.lastFragment)
            let before = record?.readableBytes ?? 0
            guard before + length <= bytesMax else { throw .tooLong(bytes: before + length, max: bytesMax) }
            guard fragments < fragmentsMax else { throw .tooManyFragments(max: fragmentsMax) }
            guard received.readableBytes >= 4 + length else { break }
            received.moveReaderIndex(forwardBy: 4)
            guard let fragment = received.readSlice(length: length) else { break }
            fragments += 1
            let whole = joined(fragment)
            guard header & RecordMarking.lastFragment != 0 else {
                record = whole
                continue
            }
            (record, fragments) = (nil, 0)
            return whole
        }
        if received.readableBytes == 0 { received = ByteBuffer() } else { received.discardReadBytes() }
        return nil
    }

    /// The stream has ended.
    ///
    /// - Throws: ``RecordError/truncated`` if it did so within a record.
    public func end() throws(RecordError) {
        guard !isWithinRecord else { throw .truncated }
    }

    private mutating func joined(_ fragment: ByteBuffer) -> ByteBuffer {
        guard var whole = record else { return fragment }
        record = nil
        whole.writeImmutableBuffer(fragment)
        return whole
    }
}
