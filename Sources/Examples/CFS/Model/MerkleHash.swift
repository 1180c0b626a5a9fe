import Crypto

/// 20 bytes in the order in which merkle trees hash and send them (CFS 2004, `merkle_hash`).
///
/// A key is written with its least significant byte first; a digest is as SHA-1 gives it.
public struct MerkleHash: Hashable, Sendable {
    private let first, second: UInt64
    private let third: UInt32

    /// Twenty zeros: the hash of an empty node.
    public static let zero = Self(key: ChordID(0))

    /// A key.
    public init(key: ChordID) {
        first = key.low
        second = key.middle
        third = key.high
    }

    /// Bytes as they were sent; nil if they are not 20.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == ChordID.byteCount, let key = ChordID(bigEndian: Array(bytes.reversed())) else {
            return nil
        }
        self.init(key: key)
    }

    /// The SHA-1 of some of these in a row.
    public init(hashing parts: some Sequence<MerkleHash>) {
        var hash = Insecure.SHA1()
        var bytes: [UInt8] = []
        for part in parts { part.append(to: &bytes) }
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        self = hash.finalize().withUnsafeBytes { digest in
            Self(
                first: digest.loadUnaligned(as: UInt64.self).littleEndian,
                second: digest.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian,
                third: digest.loadUnaligned(fromByteOffset: 16, as: UInt32.self).littleEndian)
        }
    }

    private init(first: UInt64, second: UInt64, third: UInt32) {
        self.first = first
        self.second = second
        self.third = third
    }

    /// The key that these bytes are.
    public var key: ChordID { ChordID(high: third, middle: second, low: first) }

    /// The 20 bytes as they are sent.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(ChordID.byteCount)
        append(to: &bytes)
        return bytes
    }

    private func append(to bytes: inout [UInt8]) {
        withUnsafeBytes(of: first.littleEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: second.littleEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: third.littleEndian) { bytes.append(contentsOf: $0) }
    }
}

/// How merkle trees divide the circle: 64 ways at each level, by six bits of the key, the most significant ones first
/// (CFS 2004, `merkle_hash::read_slot`).
extension ChordID {
    /// How many levels there are below the root; the last has only four bits.
    public static let merkleLevels = 27

    /// Which child of a node at this level the key belongs to.
    public func merkleSlot(_ level: Int) -> Int {
        level == Self.merkleLevels - 1 ? Int(bits(from: 156, count: 4)) : Int(bits(from: 6 * level, count: 6))
    }

    /// The first key of the node at this level that this key belongs to.
    public func merklePrefix(_ level: Int) -> ChordID {
        let kept = min(6 * level, Self.bitCount)
        if kept == 0 { return ChordID(0) }
        return kept == Self.bitCount ? self : masked(kept)
    }

    /// The last key of the node at this level that begins with this key.
    public func merkleEnd(_ level: Int) -> ChordID {
        level == 0
            ? ChordID(0).previous
            : 6 * level >= Self.bitCount ? self : (self &+ .power(ofTwo: Self.bitCount - 6 * level)).previous
    }

    /// The first key of a child.
    public func merkleChild(_ slot: Int, below level: Int) -> ChordID {
        let shift = level == Self.merkleLevels - 1 ? 0 : Self.bitCount - 6 * (level + 1)
        var start = self
        for bit in 0..<6 where slot >> bit & 1 == 1 { start = start &+ .power(ofTwo: shift + bit) }
        return start
    }

    private func masked(_ kept: Int) -> ChordID {
        switch kept {
        case ..<32: ChordID(high: high & ~(.max >> UInt32(kept)), middle: 0, low: 0)
        case 32..<96: ChordID(high: high, middle: kept == 32 ? 0 : middle & ~(.max >> UInt64(kept - 32)), low: 0)
        default: ChordID(high: high, middle: middle, low: kept == 96 ? 0 : low & ~(.max >> UInt64(kept - 96)))
        }
    }
}
