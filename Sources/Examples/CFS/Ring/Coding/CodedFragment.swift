import CFSModel

/// One of many pieces of a block in generation 2: the block is cut into as many parts as are needed, and a fragment is the sum of
/// the parts, each multiplied by a coefficient, byte by byte in the field of 256 elements.
public struct CodedFragment: Hashable, Sendable {
    /// Bytes of the block.
    public let blockLength: Int
    /// One factor for each part.
    public let coefficients: [UInt8]
    /// The sum.
    public let bytes: [UInt8]

    /// How many fragments make the block again.
    public var needed: Int { coefficients.count }

    /// Which part of the block this is, if it is one as it stands.
    var part: Int? {
        guard let index = coefficients.firstIndex(where: { $0 != 0 }), coefficients[index] == 1,
            coefficients[(index + 1)...].allSatisfy({ $0 == 0 })
        else { return nil }
        return index
    }

    init(blockLength: Int, coefficients: [UInt8], bytes: [UInt8]) {
        self.blockLength = blockLength
        self.coefficients = coefficients
        self.bytes = bytes
    }

    /// How many bytes each part of a block has; the last ones are filled with zeros.
    static func partLength(blockLength: Int, needed: Int) -> Int { (blockLength + needed - 1) / needed }

    private static let headBytes = 5

    /// Reads a fragment: how many are needed in one byte, the block's length in four, the coefficients, the sum.
    ///
    /// - Throws: `truncated`, `trailingBytes`, `badHeader`. Nothing is allocated that the bytes do not pay for.
    public init(decoding encoded: [UInt8]) throws(FragmentError) {
        var rest = encoded[...]
        try self.init(takenFrom: &rest)
        guard rest.isEmpty else { throw .trailingBytes }
    }

    /// Reads what a node keeps of a block: fragments, one behind the other, as many as make it at most.
    ///
    /// - Throws: as ``init(decoding:)``; `badHeader` if they are not of the same block.
    public static func share(decoding encoded: [UInt8]) throws(FragmentError) -> [CodedFragment] {
        var rest = encoded[...]
        let first = try CodedFragment(takenFrom: &rest)
        var fragments = [first]
        while !rest.isEmpty {
            guard fragments.count < first.needed else { throw .trailingBytes }
            let next = try CodedFragment(takenFrom: &rest)
            guard next.needed == first.needed, next.blockLength == first.blockLength else { throw .badHeader }
            fragments.append(next)
        }
        return fragments
    }

    private init(takenFrom rest: inout ArraySlice<UInt8>) throws(FragmentError) {
        guard rest.count >= Self.headBytes else { throw .truncated }
        let needed = Int(rest[rest.startIndex])
        blockLength = rest.dropFirst().prefix(Self.headBytes - 1).reduce(0) { $0 << 8 | Int($1) }
        guard (1...CFSLimits.fragmentsNeeded).contains(needed), blockLength <= CFSLimits.blockBytes else {
            throw .badHeader
        }
        let length = Self.partLength(blockLength: blockLength, needed: needed)
        guard rest.count >= Self.headBytes + needed + length else { throw .truncated }
        rest = rest.dropFirst(Self.headBytes)
        coefficients = Array(rest.prefix(needed))
        rest = rest.dropFirst(needed)
        // A sum of nothing says nothing of the block.
        guard coefficients.contains(where: { $0 != 0 }) else { throw .badHeader }
        bytes = Array(rest.prefix(length))
        rest = rest.dropFirst(length)
    }

    /// The format that `init(decoding:)` reads.
    public var encoded: [UInt8] {
        let length = (0..<4).map { UInt8(truncatingIfNeeded: blockLength >> (24 - 8 * $0)) }
        return [UInt8(needed)] + length + coefficients + bytes
    }
}
