public import NIOCore

/// One entry of a catch-up log: what a proxy must know of a version's ``CatchUpQueue`` after it was killed.
///
/// Values. The log is described in docs/catch-up-log.md.
public enum CatchUpRecord: Sendable, Hashable {
    /// The version missed a write. Numbers grow by one with each.
    case missed(MissedWrite, sequence: UInt64)
    /// Writes up to this one are being sent to the version. Without a ``done(through:)`` after it, whether it did those
    /// that were not done before is unknown.
    case begun(through: UInt64)
    /// Writes up to this one are in the version, or were given up.
    case done(through: UInt64)
    /// What the version missed is not known: all keys have to be compared.
    case everything
    /// The keys of this one missed write, and of no other, were copied to the version.
    case copied(sequence: UInt64)
    /// The version is compared with the others, but not before they have got from it what only it has.
    case doubted

    /// The number in it.
    var sequence: UInt64? {
        switch self {
        case .missed(_, let sequence), .begun(let sequence), .done(let sequence), .copied(let sequence): sequence
        case .everything, .doubted: nil
        }
    }

    private enum Kind: UInt8 {
        case missed = 1
        case begun = 2
        case done = 3
        case everything = 4
        case copied = 5
        case doubted = 6
    }

    /// How a missed write is, bit by bit. Those that are not named here are 0.
    private struct Flags: OptionSet {
        let rawValue: UInt8
        static let idempotent = Flags(rawValue: 1)
        static let everyKey = Flags(rawValue: 2)
        static let copy = Flags(rawValue: 4)
        static let known: Flags = [.idempotent, .everyKey, .copy]
    }

    /// What stands before a record's body: its length, and checksums of the length and of the body.
    static let headerBytes = 12

    /// Appends the record, ready to be written to a log.
    public func encode(into buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        buffer.writeRepeatingByte(0, count: Self.headerBytes)
        encodeBody(into: &buffer)
        let body = buffer.viewBytes(at: start + Self.headerBytes, length: buffer.writerIndex - start - Self.headerBytes)
        guard let body, let length = UInt32(exactly: body.count) else {
            preconditionFailure("a record is longer than its length can say")
        }
        let sum = Checksum.crc32(body)
        buffer.setInteger(length, at: start)
        buffer.setInteger(Self.checksum(ofLength: length), at: start + 4)
        buffer.setInteger(sum, at: start + 8)
    }

    static func checksum(ofLength length: UInt32) -> UInt32 {
        Checksum.crc32(ByteBuffer(integer: length).readableBytesView)
    }

    private func encodeBody(into buffer: inout ByteBuffer) {
        switch self {
        case .missed(let write, let sequence):
            buffer.writeMultipleIntegers(Kind.missed.rawValue, sequence)
            Self.encode(write, into: &buffer)
        case .begun(let through): buffer.writeMultipleIntegers(Kind.begun.rawValue, through)
        case .done(let through): buffer.writeMultipleIntegers(Kind.done.rawValue, through)
        case .everything: buffer.writeInteger(Kind.everything.rawValue)
        case .doubted: buffer.writeInteger(Kind.doubted.rawValue)
        case .copied(let sequence): buffer.writeMultipleIntegers(Kind.copied.rawValue, sequence)
        }
    }

    private static func encode(_ write: MissedWrite, into buffer: inout ByteBuffer) {
        var flags: Flags = []
        if write.isIdempotent { flags.insert(.idempotent) }
        if write.keys == .everything { flags.insert(.everyKey) }
        if write.content == .copy { flags.insert(.copy) }
        buffer.writeInteger(flags.rawValue)
        encode(write.keys.names ?? [], into: &buffer)
        guard case .replay(let bytes, let prelude) = write.content else { return }
        encode(prelude, into: &buffer)
        encode([bytes], into: &buffer)
    }

    /// A list: how many, then each with its length before it.
    private static func encode(_ list: [ByteBuffer], into buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt32(list.count))
        for bytes in list {
            buffer.writeInteger(UInt32(bytes.readableBytes))
            buffer.writeImmutableBuffer(bytes)
        }
    }

    /// The record with this body, or `nil` if it is none.
    init?(body: ByteBuffer) {
        var body = body
        guard let kind = body.readInteger(as: UInt8.self).flatMap(Kind.init) else { return nil }
        switch kind {
        case .everything: self = .everything
        case .doubted: self = .doubted
        default:
            guard let sequence = body.readInteger(as: UInt64.self) else { return nil }
            switch kind {
            case .begun: self = .begun(through: sequence)
            case .done: self = .done(through: sequence)
            case .copied: self = .copied(sequence: sequence)
            default:
                guard let write = Self.decodeWrite(&body) else { return nil }
                self = .missed(write, sequence: sequence)
            }
        }
        guard body.readableBytes == 0 else { return nil }
    }

    private static func decodeWrite(_ body: inout ByteBuffer) -> MissedWrite? {
        guard let flags = body.readInteger(as: UInt8.self).map(Flags.init), Flags.known.isSuperset(of: flags),
            let names = decodeList(&body)
        else { return nil }
        let isEveryKey = flags.contains(.everyKey)
        guard !isEveryKey || names.isEmpty else { return nil }
        let keys = isEveryKey ? Keys.everything : Keys(names)
        let isIdempotent = flags.contains(.idempotent)
        if flags.contains(.copy) { return MissedWrite(keys, .copy, isIdempotent: isIdempotent) }
        guard let prelude = decodeList(&body), let bytes = decodeList(&body), bytes.count == 1 else { return nil }
        return MissedWrite(keys, .replay(bytes[0], prelude: prelude), isIdempotent: isIdempotent)
    }

    private static func decodeList(_ body: inout ByteBuffer) -> [ByteBuffer]? {
        // Each takes four bytes at least, so what a count promises cannot be more than what is there.
        guard let count = body.readInteger(as: UInt32.self), Int(count) <= body.readableBytes / 4 else { return nil }
        var list: [ByteBuffer] = []
        for _ in 0..<count {
            guard let bytes = body.readLengthPrefixedSlice(as: UInt32.self) else { return nil }
            list.append(bytes)
        }
        return list
    }
}

extension ByteBuffer {
    fileprivate func viewBytes(at index: Int, length: Int) -> ByteBufferView? {
        getSlice(at: index, length: length)?.readableBytesView
    }
}
