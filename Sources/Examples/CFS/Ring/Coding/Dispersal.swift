import CFSModel

/// Blocks to fragments and back.
public enum Dispersal {
    /// How many fragments a block should need so that each goes into one packet, if possible (CFS 2004, `optimal_dfrag`).
    ///
    /// - Parameters:
    ///   - length: Bytes of the block.
    ///   - packetBytes: Bytes of a fragment that go into one packet; above zero.
    public static func fragmentsNeeded(length: Int, packetBytes: Int) -> Int {
        let needed = max(1, (length + packetBytes - 1) / packetBytes)
        // With what a fragment has beside its words it may not fit after all: then at least more nodes send at once.
        return length / needed + (4 + needed) * 2 > packetBytes ? needed + 1 : needed
    }

    /// Fragments of a block, each with random coefficients of its own.
    ///
    /// - Parameters:
    ///   - block: At most `CFSLimits.blockBytes`.
    ///   - needed: How many make the block again: 1 to `CFSLimits.fragmentsNeeded`.
    ///   - count: How many to make.
    public static func fragments(
        of block: [UInt8], needed: Int, count: Int, using random: inout some RandomNumberGenerator
    ) -> [Fragment] {
        precondition((1...CFSLimits.fragmentsNeeded).contains(needed) && block.count <= CFSLimits.blockBytes)
        let wordCount = Fragment.wordCount(blockLength: block.count, needed: needed)
        let words = paddedWords(of: block, count: wordCount * needed)
        return (0..<count).map { _ in
            // Zero would leave words out; the historic nodes do not draw it either.
            let coefficients = (0..<needed).map { _ in UInt32.random(in: 1..<UInt32(PrimeField.order), using: &random) }
            return Fragment(
                blockLength: block.count, coefficients: coefficients,
                words: sums(of: words, coefficients, count: wordCount))
        }
    }

    /// Makes a block of its fragments, the first ones that are enough.
    ///
    /// What comes out was never checked against a hash: that is the caller's, who knows the block's name.
    ///
    /// - Throws: `badHeader` if they are not of the same block, `tooFew` if more are needed, `notABlock`.
    public static func block(from fragments: some Sequence<Fragment>) throws(FragmentError) -> [UInt8] {
        var chosen: [Fragment] = []
        var system: Elimination?
        for fragment in fragments.prefix(CFSLimits.fragments) {
            guard let first = chosen.first else {
                var new = Elimination(size: fragment.needed)
                guard new.add(fragment.coefficients) else { throw .badHeader }
                system = new
                chosen = [fragment]
                if fragment.needed == 1 { break }
                continue
            }
            guard fragment.needed == first.needed, fragment.blockLength == first.blockLength else { throw .badHeader }
            if system?.add(fragment.coefficients) == true { chosen.append(fragment) }
            if system?.isComplete == true { break }
        }
        guard let first = chosen.first, let system, system.isComplete else {
            throw .tooFew(have: chosen.count, need: chosen.first?.needed ?? 1)
        }
        return try solve(chosen, system.inverse, blockLength: first.blockLength)
    }

    /// The block as big-endian words, with zeros at the end.
    private static func paddedWords(of block: [UInt8], count: Int) -> [UInt32] {
        [UInt32](unsafeUninitializedCapacity: count) { words, filled in
            block.withUnsafeBufferPointer { bytes in
                var index = 0
                while index < count {
                    let at = 2 * index
                    let upper = at < bytes.count ? UInt32(bytes[at]) : 0
                    let lower = at + 1 < bytes.count ? UInt32(bytes[at + 1]) : 0
                    words[index] = upper << 8 | lower
                    index += 1
                }
            }
            filled = count
        }
    }

    private static func sums(of words: [UInt32], _ coefficients: [UInt32], count: Int) -> [UInt32] {
        let needed = coefficients.count
        return [UInt32](unsafeUninitializedCapacity: count) { sums, filled in
            words.withUnsafeBufferPointer { words in
                coefficients.withUnsafeBufferPointer { coefficients in
                    var index = 0
                    var at = 0
                    while index < count {
                        // At most 32 products of 33 bits: one division for all.
                        var sum: UInt64 = 0
                        var j = 0
                        while j < needed {
                            sum &+= UInt64(coefficients[j]) &* UInt64(words[at &+ j])
                            j &+= 1
                        }
                        sums[index] = UInt32(truncatingIfNeeded: sum % PrimeField.order)
                        at &+= needed
                        index &+= 1
                    }
                }
            }
            filled = count
        }
    }

    private static func solve(
        _ fragments: [Fragment], _ inverse: [[UInt32]], blockLength: Int
    ) throws(FragmentError) -> [UInt8] {
        let needed = fragments.count
        let count = fragments[0].words.count
        let factors = inverse.flatMap { $0 }
        // Fragment after fragment in one array: the loop below then needs no array of arrays.
        let values = fragments.flatMap(\.words)
        var isWrong = false
        let block = [UInt8](unsafeUninitializedCapacity: 2 * needed * count) { bytes, filled in
            factors.withUnsafeBufferPointer { factors in
                values.withUnsafeBufferPointer { values in
                    var out = 0
                    var index = 0
                    while index < count {
                        var row = 0
                        while row < needed {
                            var sum: UInt64 = 0
                            var j = 0
                            while j < needed {
                                sum &+= UInt64(factors[row &* needed &+ j]) &* UInt64(values[j &* count &+ index])
                                j &+= 1
                            }
                            let word = sum % PrimeField.order
                            if word > 0xFFFF { isWrong = true }
                            bytes[out] = UInt8(truncatingIfNeeded: word >> 8)
                            bytes[out &+ 1] = UInt8(truncatingIfNeeded: word)
                            out &+= 2
                            row &+= 1
                        }
                        index &+= 1
                    }
                }
            }
            filled = 2 * needed * count
        }
        // No block has a word of 17 bits: somebody's numbers are wrong.
        if isWrong { throw .notABlock }
        return Array(block.prefix(blockLength))
    }
}
