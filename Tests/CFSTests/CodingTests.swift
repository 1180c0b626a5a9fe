import CFSRing
import CFSSimulation
import Testing

/// The tests of the historic source (`test_ida.C`), and what it does not ask.
@Suite("Fragments of blocks")
struct CodingTests {
    /// Through the byte format both ways.
    private func reconstructed(_ block: [UInt8], needed: Int, seed: UInt64 = 1) throws -> [UInt8] {
        var random = seeded(seed)
        let fragments = Dispersal.fragments(of: block, needed: needed, count: needed, using: &random)
        return try Dispersal.block(from: fragments.map { try Fragment(decoding: $0.encoded) })
    }

    @Test("blocks of one repeated byte come back", arguments: [UInt8](0...255).filter { $0 % 17 == 0 || $0 >= 0xED })
    func constantBlocks(byte: UInt8) throws {
        let block = [UInt8](repeating: byte, count: 8192)
        #expect(try reconstructed(block, needed: 8) == block)
    }

    @Test("blocks that count up come back", arguments: [32768, 16384, 8192, 4096, 2048, 1024])
    func cyclicBlocks(length: Int) throws {
        let block = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
        #expect(try reconstructed(block, needed: 8) == block)
    }

    @Test(
        "random blocks of odd and even lengths come back", arguments: [0, 1, 2, 3, 255, 256, 511, 4095, 32766, 32767])
    func randomBlocks(length: Int) throws {
        var random = seeded(UInt64(length))
        let block = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
        #expect(try reconstructed(block, needed: 8) == block)
    }

    @Test("any number of needed fragments up to 32 works", arguments: 1...32)
    func allCounts(needed: Int) throws {
        var random = seeded(UInt64(needed))
        let block = (0..<Int.random(in: 1...3000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random)
        }
        #expect(try reconstructed(block, needed: needed) == block)
    }

    @Test("a fragment has the historic bytes")
    func format() throws {
        // One word 0xEF01 needed once: the coefficient decides the sum.
        let bytes: [UInt8] = [
            0, 6, 0, 2, 0, 1, 0, 2, 0, 1, 0xEF, 0, 0xEF, 0x01,
        ]
        // Six numbers: 6, 2, 1, coefficient 2, one word, and the word in four bytes because of its first one.
        let fragment = try Fragment(decoding: bytes)
        #expect(fragment.blockLength == 2)
        #expect(fragment.coefficients == [2])
        #expect(fragment.words == [0xEF01])
        #expect(fragment.encoded == bytes)
        // Half of 0xEF01 modulo 65537 is (0xEF01 + 65537) / 2.
        let half = (0xEF01 + 65537) / 2
        #expect(try Dispersal.block(from: [fragment]) == [UInt8(half >> 8), UInt8(half & 255)])
    }

    @Test("the number 65536 takes four bytes and comes back")
    func largestElement() throws {
        let bytes: [UInt8] = [0, 6, 0, 2, 0, 1, 0xEF, 1, 0, 0, 0, 1, 0, 5]
        let fragment = try Fragment(decoding: bytes)
        #expect(fragment.coefficients == [65536])
        #expect(fragment.encoded == bytes)
        // 65536 is -1: the word is -5, which has seventeen bits no block has... but 65532 fits.
        #expect(try Dispersal.block(from: [fragment]) == [0xFF, 0xFC])
    }

    @Test("the first of fourteen that are enough are enough, whichever they are")
    func anySeven() throws {
        var random = seeded(4)
        let block = (0..<8192).map { _ in UInt8.random(in: 0...255, using: &random) }
        let fragments = Dispersal.fragments(of: block, needed: 7, count: 14, using: &random)
        for _ in 0..<10 {
            let some = fragments.shuffled(using: &random).prefix(7)
            #expect(try Dispersal.block(from: some) == block)
        }
        #expect(throws: FragmentError.tooFew(have: 6, need: 7)) { try Dispersal.block(from: fragments.prefix(6)) }
        // The same one again says nothing new, another one after it does.
        #expect(throws: FragmentError.tooFew(have: 6, need: 7)) {
            try Dispersal.block(from: fragments.prefix(6) + fragments.prefix(6))
        }
        #expect(try Dispersal.block(from: fragments.prefix(6) + fragments.prefix(7)) == block)
        #expect(throws: FragmentError.tooFew(have: 0, need: 1)) { try Dispersal.block(from: []) }
    }

    @Test("fragments of different blocks are refused")
    func mixed() {
        var random = seeded(5)
        let one = Dispersal.fragments(of: [1, 2, 3, 4, 5], needed: 2, count: 1, using: &random)
        let two = Dispersal.fragments(of: [1, 2, 3, 4], needed: 2, count: 1, using: &random)
        #expect(throws: FragmentError.badHeader) { try Dispersal.block(from: one + two) }
    }

    @Test("the packet decides how many fragments a block needs")
    func needed() {
        #expect(Dispersal.fragmentsNeeded(length: 0, packetBytes: 1210) == 1)
        #expect(Dispersal.fragmentsNeeded(length: 1200, packetBytes: 1210) == 1)
        #expect(Dispersal.fragmentsNeeded(length: 1210, packetBytes: 1210) == 2)
        #expect(Dispersal.fragmentsNeeded(length: 2048, packetBytes: 1210) == 2)
        #expect(Dispersal.fragmentsNeeded(length: 8192, packetBytes: 1210) == 7)
    }

    @Test("a beginning of a fragment is refused, byte by byte")
    func dripFeed() throws {
        var random = seeded(6)
        let fragment = Dispersal.fragments(
            of: [UInt8](repeating: 0xEF, count: 100), needed: 3, count: 1, using: &random)[0]
        let bytes = fragment.encoded
        for length in 0..<bytes.count {
            #expect(throws: FragmentError.self) { try Fragment(decoding: Array(bytes.prefix(length))) }
        }
        #expect(throws: FragmentError.trailingBytes) { try Fragment(decoding: bytes + [0, 0]) }
        #expect(try Fragment(decoding: bytes) == fragment)
    }

    @Test("headers that promise too much are refused")
    func absurdHeaders() {
        // 4 + 1 words for a block of 2 bytes; no coefficients; 33 coefficients; 16 million bytes.
        for bytes in [
            [0, 9, 0, 2, 0, 1], [0, 4, 0, 0, 0, 0], [0, 40, 0, 2, 0, 33],
            [0xEF, 255, 255, 255, 0xEF, 255, 255, 255, 0, 1],
        ]
            as [[UInt8]]
        {
            #expect(throws: FragmentError.badHeader) {
                try Fragment(decoding: bytes + [UInt8](repeating: 0, count: 100))
            }
        }
    }

    @Test("whatever the bytes are, decoding gives a block or an error")
    func garbage() {
        var random = seeded(7)
        let good = Dispersal.fragments(of: [UInt8](0...99), needed: 3, count: 6, using: &random).map(\.encoded)
        var blocks = 0
        for _ in 0..<300 {
            var fragments: [Fragment] = []
            for var bytes in good.shuffled(using: &random) {
                for _ in 0..<Int.random(in: 0...2, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                if let fragment = try? Fragment(decoding: bytes) { fragments.append(fragment) }
            }
            if (try? Dispersal.block(from: fragments)) != nil { blocks += 1 }
        }
        #expect(blocks > 0)
    }
}
