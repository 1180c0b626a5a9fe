public import NIOCore

/// A key as the order of writes sees it: 64 bits of its bytes.
///
/// Two keys with one mark are taken for the same, so their writes take turns though they need not: nothing else happens.
/// Bytes that are combined in pieces give the same mark as in one piece.
public struct KeyMark: Sendable, Hashable {
    @usableFromInline private(set) var bits: UInt64 = 0xcbf2_9ce4_8422_2325

    /// The mark of the empty key, to combine bytes with.
    @inlinable
    public init() {}

    /// The mark of a whole key.
    @inlinable
    public init(_ key: ByteBuffer) {
        self.init()
        key.withUnsafeReadableBytes { combine($0) }
    }

    /// Goes on with these bytes (FNV-1a).
    @inlinable
    public mutating func combine(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { bits = (bits ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
}

/// What writes are ordered by.
public enum KeyMarks: Sendable, Hashable {
    /// One key.
    case one(KeyMark)
    /// These keys; repetition does not matter.
    case several([KeyMark])
    /// The keys of several writes, each of which touches one; repetition does not matter.
    case each([KeyMark])
    /// All keys: the write is ordered with every other one.
    case everything

    /// The marks, each once; `nil`: all that there are.
    public var marks: Set<KeyMark>? {
        switch self {
        case .one(let mark): [mark]
        case .several(let marks), .each(let marks): Set(marks)
        case .everything: nil
        }
    }

    /// The marks of these keys.
    public init(_ keys: Keys) {
        switch keys.storage {
        case .none: self = .several([])
        case .one(let key): self = .one(KeyMark(key))
        case .several(let keys): self = .several(keys.map { KeyMark($0) })
        case .everything: self = .everything
        }
    }
}
