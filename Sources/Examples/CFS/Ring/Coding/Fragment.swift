import CFSModel

/// Why bytes are not a fragment, or fragments not a block.
public enum FragmentError: Error, Equatable, Sendable {
    /// The bytes end before the fragment does.
    case truncated
    /// There are more bytes than the fragment has.
    case trailingBytes
    /// The numbers at the beginning contradict each other, or exceed a limit.
    case badHeader
    /// A number that is none of the field's.
    case outOfField
    /// There are fewer fragments than the block needs, or too many of them say the same.
    case tooFew(have: Int, need: Int)
    /// The fragments belong together, but no block is behind them.
    case notABlock
}

/// One of many pieces of a block, of which some are enough to make it again (Rabin's information dispersal; CFS 2004, IDA).
///
/// A fragment has `needed` random coefficients and the block's words multiplied by them: word `k` is the sum of
/// `coefficients[j] * block[k * needed + j]` modulo 65537.
public struct Fragment: Hashable, Sendable {
    /// Bytes of the block.
    public let blockLength: Int
    /// One factor for each of the words that are added up.
    public let coefficients: [UInt32]
    /// The sums.
    public let words: [UInt32]

    /// How many fragments make the block again.
    public var needed: Int { coefficients.count }

    init(blockLength: Int, coefficients: [UInt32], words: [UInt32]) {
        self.blockLength = blockLength
        self.coefficients = coefficients
        self.words = words
    }

    /// How many words each fragment of a block has.
    static func wordCount(blockLength: Int, needed: Int) -> Int { (blockLength + 2 * needed - 1) / (2 * needed) }

    /// Reads a fragment in the historic byte format.
    ///
    /// - Throws: `truncated`, `trailingBytes`, `badHeader`, `outOfField`. Nothing is allocated that the bytes do not pay for.
    public init(decoding bytes: [UInt8]) throws(FragmentError) {
        var reader = ElementReader(bytes)
        let total = try Int(reader.next())
        blockLength = try Int(reader.next())
        let needed = try Int(reader.next())
        guard (1...CFSLimits.fragmentsNeeded).contains(needed), blockLength <= CFSLimits.blockBytes,
            total == 4 + needed + Self.wordCount(blockLength: blockLength, needed: needed)
        else { throw .badHeader }
        guard 2 * total <= bytes.count else { throw .truncated }
        coefficients = try reader.field(count: needed)
        let count = try Int(reader.next())
        guard count == total - needed - 4 else { throw .badHeader }
        words = try reader.field(count: count)
        guard reader.isAtEnd else { throw .trailingBytes }
    }

    /// The historic byte format: how many numbers follow with this one, the block's length, how many fragments are needed,
    /// the coefficients, how many words, the words. Each number has two bytes, or four if it does not fit or would begin
    /// with the mark of those that have four.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2 * (words.count + coefficients.count + 4) + words.count / 64 + 16)
        Self.append(UInt32(4 + needed + words.count), to: &bytes)
        Self.append(UInt32(blockLength), to: &bytes)
        Self.append(UInt32(needed), to: &bytes)
        for coefficient in coefficients { Self.append(coefficient, to: &bytes) }
        Self.append(UInt32(words.count), to: &bytes)
        for word in words { Self.append(word, to: &bytes) }
        return bytes
    }

    /// Begins a number of four bytes.
    static let mark: UInt8 = 0xEF

    @inline(__always)
    private static func append(_ number: UInt32, to bytes: inout [UInt8]) {
        if number > 0xFFFF || number >> 8 == UInt32(mark) {
            bytes.append(mark)
            bytes.append(UInt8(truncatingIfNeeded: number >> 16))
        }
        bytes.append(UInt8(truncatingIfNeeded: number >> 8))
        bytes.append(UInt8(truncatingIfNeeded: number))
    }
}

/// Reads the numbers of a fragment, of two or four bytes.
private struct ElementReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func next() throws(FragmentError) -> UInt32 {
        guard position + 2 <= bytes.count else { throw .truncated }
        if bytes[position] != Fragment.mark {
            defer { position += 2 }
            return UInt32(bytes[position]) << 8 | UInt32(bytes[position + 1])
        }
        guard position + 4 <= bytes.count else { throw .truncated }
        defer { position += 4 }
        return UInt32(bytes[position + 1]) << 16 | UInt32(bytes[position + 2]) << 8 | UInt32(bytes[position + 3])
    }

    mutating func field(count: Int) throws(FragmentError) -> [UInt32] {
        var elements: [UInt32] = []
        elements.reserveCapacity(count)
        while elements.count < count {
            let element = try next()
            guard element < PrimeField.order else { throw .outOfField }
            elements.append(element)
        }
        return elements
    }
}
