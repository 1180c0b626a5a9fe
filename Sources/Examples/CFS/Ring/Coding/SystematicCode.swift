import CFSModel

/// Blocks to fragments and back in generation 2: a systematic Reed-Solomon code over bytes.
///
/// The first fragments are the parts of the block themselves, so who gets those has the block without any arithmetic. The
/// others have the coefficients of a Cauchy matrix: any `needed` of all these make the block again. A fragment that is made
/// later, by a node that does not know which ones others have, has random coefficients: then `needed` fragments are
/// enough with a probability of 99.6 %, one more with 99.998 %.
public enum SystematicCode {
    /// How many different fragments of a block there are, without random ones.
    public static let fragmentsMax = 256

    /// The first fragments of a block.
    ///
    /// - Parameters:
    ///   - block: At most `CFSLimits.blockBytes`.
    ///   - needed: How many make the block again: 1 to `CFSLimits.fragmentsNeeded`.
    ///   - count: How many to make, 256 at most.
    public static func fragments(of block: [UInt8], needed: Int, count: Int) -> [CodedFragment] {
        precondition(count <= fragmentsMax)
        return (0..<count).map { fragment(of: block, coefficients(needed: needed, index: $0)) }
    }

    /// A fragment that is most likely another one than all that there are.
    public static func anotherFragment(
        of block: [UInt8], needed: Int, using random: inout some RandomNumberGenerator
    ) -> CodedFragment {
        fragment(of: block, (0..<needed).map { _ in UInt8.random(in: 1...255, using: &random) })
    }

    /// What each of some nodes is to keep of a block: all of it has no fragment twice.
    ///
    /// - Parameters:
    ///   - count: How many nodes.
    ///   - size: How many fragments each of them gets, `needed` at most; of all together there are 256 at most.
    public static func shares(of block: [UInt8], needed: Int, count: Int, size: Int) -> [[CodedFragment]] {
        let fragments = fragments(of: block, needed: needed, count: count * size)
        return (0..<count).map { Array(fragments[$0 * size..<($0 + 1) * size]) }
    }

    /// Some fragments that are most likely others than all that there are; the block itself, if it is as many as are needed.
    public static func anotherShare(
        of block: [UInt8], needed: Int, size: Int, using random: inout some RandomNumberGenerator
    ) -> [CodedFragment] {
        guard size < needed else { return fragments(of: block, needed: needed, count: needed) }
        return (0..<size).map { _ in anotherFragment(of: block, needed: needed, using: &random) }
    }

    /// Row `index` of the identity, and of a Cauchy matrix below it.
    private static func coefficients(needed: Int, index: Int) -> [UInt8] {
        (0..<needed).map { part in
            if index < needed { return part == index ? 1 : 0 }
            return ByteField.inverse(UInt8(index) ^ UInt8(part))
        }
    }

    private static func fragment(of block: [UInt8], _ coefficients: [UInt8]) -> CodedFragment {
        precondition(
            (1...CFSLimits.fragmentsNeeded).contains(coefficients.count) && block.count <= CFSLimits.blockBytes)
        let length = CodedFragment.partLength(blockLength: block.count, needed: coefficients.count)
        var sum = [UInt8](repeating: 0, count: length)
        block.withUnsafeBufferPointer { block in
            sum.withUnsafeMutableBufferPointer { sum in
                for (part, coefficient) in coefficients.enumerated() {
                    let start = min(part * length, block.count)
                    let end = min(start + length, block.count)
                    ByteField.add(coefficient, times: UnsafeBufferPointer(rebasing: block[start..<end]), to: sum)
                }
            }
        }
        return CodedFragment(blockLength: block.count, coefficients: coefficients, bytes: sum)
    }

    /// Makes a block of its fragments, the first ones that are enough.
    ///
    /// What comes out was never checked against a hash: that is the caller's, who knows the block's name.
    ///
    /// - Throws: `badHeader` if they are not of the same block, `tooFew` if more are needed.
    public static func block(from fragments: some Sequence<CodedFragment>) throws(FragmentError) -> [UInt8] {
        var chosen: [CodedFragment] = []
        var system = ByteElimination(size: 0)
        for fragment in fragments.prefix(CFSLimits.fragments) {
            if chosen.isEmpty { system = ByteElimination(size: fragment.needed) }
            let first = chosen.first ?? fragment
            guard fragment.needed == first.needed, fragment.blockLength == first.blockLength else { throw .badHeader }
            if system.add(fragment.coefficients) { chosen.append(fragment) }
            if system.isComplete { break }
        }
        guard let first = chosen.first, system.isComplete else {
            throw .tooFew(have: chosen.count, need: chosen.first?.needed ?? 1)
        }
        return combine(chosen, by: system.inverse, blockLength: first.blockLength)
    }

    /// Part after part of the block: each is a sum of fragments, or one of them as it stands.
    private static func combine(
        _ fragments: [CodedFragment], by inverse: [[UInt8]], blockLength: Int
    ) -> [UInt8] {
        var block: [UInt8] = []
        block.reserveCapacity(fragments.count * fragments[0].bytes.count)
        for (part, row) in inverse.enumerated() {
            if let intact = fragments.first(where: { $0.part == part }) {
                block += intact.bytes
                continue
            }
            var sum = [UInt8](repeating: 0, count: fragments[0].bytes.count)
            sum.withUnsafeMutableBufferPointer { sum in
                for (factor, fragment) in zip(row, fragments) {
                    fragment.bytes.withUnsafeBufferPointer { ByteField.add(factor, times: $0, to: sum) }
                }
            }
            block += sum
        }
        block.removeLast(block.count - blockLength)
        return block
    }
}

/// Finds out which rows of coefficients are independent, and the inverse of the matrix that they are (Gauss and Jordan).
struct ByteElimination {
    /// Rows with a leading one that no other row has, each beside what was done to get there; by its column.
    private var rows: [(row: [UInt8], origin: [UInt8])?]
    private var count = 0

    init(size: Int) { rows = Array(repeating: nil, count: size) }

    var isComplete: Bool { count == rows.count && count > 0 }

    /// What fragments have to be multiplied by, for each part; only if complete.
    var inverse: [[UInt8]] { rows.map { $0?.origin ?? [] } }

    /// Adds a row; false if it is a sum of those that are there.
    mutating func add(_ coefficients: [UInt8]) -> Bool {
        var row = coefficients
        var origin = [UInt8](repeating: 0, count: rows.count)
        guard row.count == rows.count, count < rows.count else { return false }
        origin[count] = 1
        for (column, other) in rows.enumerated() {
            if let other { Self.subtract(row[column], other, &row, &origin) }
        }
        guard let column = row.firstIndex(where: { $0 != 0 }) else { return false }
        let factor = ByteField.inverse(row[column])
        row = row.map { ByteField.product(factor, $0) }
        origin = origin.map { ByteField.product(factor, $0) }
        for index in rows.indices {
            guard var other = rows[index] else { continue }
            Self.subtract(other.row[column], (row, origin), &other.row, &other.origin)
            rows[index] = other
        }
        rows[column] = (row, origin)
        count += 1
        return true
    }

    private static func subtract(
        _ factor: UInt8, _ other: (row: [UInt8], origin: [UInt8]), _ row: inout [UInt8], _ origin: inout [UInt8]
    ) {
        guard factor != 0 else { return }
        for index in row.indices {
            row[index] ^= ByteField.product(factor, other.row[index])
            origin[index] ^= ByteField.product(factor, other.origin[index])
        }
    }
}
