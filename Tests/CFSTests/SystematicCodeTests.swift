import CFSRing
import CFSSimulation
import Testing

@Suite("Fragments of generation 2")
struct SystematicCodeTests {
    private func randomBlock(_ length: Int, seed: UInt64) -> [UInt8] {
        var random = seeded(seed)
        return (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    @Test("the first fragments are the block, one part after the other")
    func systematic() throws {
        let block = randomBlock(8192, seed: 1)
        let fragments = SystematicCode.fragments(of: block, needed: 8, count: 8)
        #expect(fragments.flatMap(\.bytes) == block)
        #expect(try SystematicCode.block(from: fragments.reversed()) == block)
    }

    @Test("any eight of twenty-eight make the block", arguments: 0..<40 as Range<UInt64>)
    func anyEight(seed: UInt64) throws {
        let block = randomBlock(1001, seed: seed)
        var random = seeded(seed)
        let some = SystematicCode.fragments(of: block, needed: 8, count: 28).shuffled(using: &random).prefix(8)
        #expect(try SystematicCode.block(from: some) == block)
    }

    @Test("blocks of any length come back through the bytes that are kept", arguments: [0, 1, 7, 8, 9, 2048, 30_001])
    func lengths(length: Int) throws {
        let block = randomBlock(length, seed: UInt64(length))
        let kept = SystematicCode.fragments(of: block, needed: 8, count: 16).suffix(8).map(\.encoded)
        let fragments = try kept.map { try CodedFragment(decoding: $0) }
        #expect(try SystematicCode.block(from: fragments) == block)
    }

    @Test("any number of needed fragments up to 32 works, with one lost", arguments: 1...32)
    func allCounts(needed: Int) throws {
        let block = randomBlock(500, seed: UInt64(needed))
        let fragments = SystematicCode.fragments(of: block, needed: needed, count: needed + 1)
        #expect(try SystematicCode.block(from: fragments.dropFirst()) == block)
    }

    @Test("fragments made later stand in for any others")
    func others() throws {
        let block = randomBlock(3000, seed: 5)
        var random = seeded(5)
        var fragments = Array(SystematicCode.fragments(of: block, needed: 8, count: 8).prefix(4))
        // Nine: of eight random ones four may, rarely, say the same.
        for _ in 0..<5 { fragments.append(SystematicCode.anotherFragment(of: block, needed: 8, using: &random)) }
        #expect(try SystematicCode.block(from: fragments) == block)
        #expect(Set(fragments).count == 9)
    }

    @Test(
        "nodes that get several fragments each have all of them different, and any of them that have enough make the block"
    )
    func shares() throws {
        let block = randomBlock(3001, seed: 7)
        let shares = SystematicCode.shares(of: block, needed: 8, count: 4, size: 7)
        #expect(Set(shares.joined()).count == 28)
        for (one, other) in [(0, 1), (1, 3), (2, 3)] {
            let kept = (shares[one] + shares[other]).flatMap(\.encoded)
            // Fourteen are more than anybody keeps.
            #expect(throws: FragmentError.trailingBytes) { try CodedFragment.share(decoding: kept) }
            let pair = try [one, other].flatMap { try CodedFragment.share(decoding: shares[$0].flatMap(\.encoded)) }
            #expect(try SystematicCode.block(from: pair) == block)
        }
        var random = seeded(7)
        let alone = SystematicCode.anotherShare(of: block, needed: 8, size: 8, using: &random)
        #expect(try SystematicCode.block(from: alone) == block)
        let others = SystematicCode.anotherShare(of: block, needed: 8, size: 3, using: &random)
        #expect(try SystematicCode.block(from: shares[3] + others) == block)
    }

    @Test("what is no share is refused, wherever it is cut, also one of two blocks")
    func badShares() throws {
        let fragments = SystematicCode.fragments(of: [UInt8](0..<100), needed: 4, count: 3).map(\.encoded)
        let share = Array(fragments.joined())
        for length in 0..<share.count where length % fragments[0].count != 0 || length == 0 {
            #expect(throws: FragmentError.truncated) { try CodedFragment.share(decoding: Array(share.prefix(length))) }
        }
        #expect(try CodedFragment.share(decoding: share).map(\.encoded) == fragments)
        let other = SystematicCode.fragments(of: [UInt8](0..<101), needed: 4, count: 1)[0].encoded
        #expect(throws: FragmentError.badHeader) { try CodedFragment.share(decoding: share + other) }
    }

    @Test("too few fragments, the same twice, or those of two blocks make none")
    func refusals() {
        let block = randomBlock(100, seed: 6)
        let fragments = SystematicCode.fragments(of: block, needed: 3, count: 5)
        #expect(throws: FragmentError.tooFew(have: 2, need: 3)) {
            try SystematicCode.block(from: [fragments[0], fragments[1], fragments[1]])
        }
        #expect(throws: FragmentError.tooFew(have: 0, need: 1)) { try SystematicCode.block(from: []) }
        let other = SystematicCode.fragments(of: block + [1], needed: 3, count: 1)
        #expect(throws: FragmentError.badHeader) { try SystematicCode.block(from: [fragments[0], other[0]]) }
    }

    @Test("what is no fragment is refused, wherever it is cut, and nothing is made for a length that is not there")
    func garbage() throws {
        let good = SystematicCode.fragments(of: [UInt8](0..<100), needed: 4, count: 6)[5].encoded
        for length in 0..<good.count {
            #expect(throws: FragmentError.truncated) { try CodedFragment(decoding: Array(good.prefix(length))) }
        }
        #expect(throws: FragmentError.trailingBytes) { try CodedFragment(decoding: good + [0]) }
        #expect(throws: FragmentError.badHeader) { try CodedFragment(decoding: [0, 0, 0, 0, 1, 1, 1]) }
        #expect(throws: FragmentError.badHeader) { try CodedFragment(decoding: [33, 0, 0, 0, 1] + good) }
        #expect(throws: FragmentError.badHeader) { try CodedFragment(decoding: [1, 255, 255, 255, 255, 1]) }
        #expect(throws: FragmentError.badHeader) { try CodedFragment(decoding: [2, 0, 0, 0, 2, 0, 0, 9]) }
        var random = seeded(9)
        for _ in 0..<2000 {
            var bytes = good
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if let fragment = try? CodedFragment(decoding: bytes) { #expect(fragment.encoded == bytes) }
        }
    }
}
