import Testing

@testable import VersionKitReleases

/// Goal: a small change changes few chunks. Method: random bytes, with and without changes.
@Suite("Chunks by content")
struct ContentChunkerTests {
    /// The lengths of the chunks of some bytes.
    static func lengths(_ bytes: [UInt8]) -> [Int] {
        var lengths: [Int] = []
        bytes.withUnsafeBytes { all in
            var rest = all[...]
            while !rest.isEmpty {
                lengths.append(ContentChunker.chunkLength(UnsafeRawBufferPointer(rebasing: rest)))
                rest = rest.dropFirst(lengths[lengths.count - 1])
            }
        }
        return lengths
    }

    static func random(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(state: seed)
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in stride(from: 0, to: count, by: 8) {
                withUnsafeBytes(of: generator.next().littleEndian) { word in
                    UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[index...])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: word.prefix(count - index)))
                }
            }
            initialized = count
        }
    }

    private func chunks(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var offset = 0
        return Self.lengths(bytes).map { length in
            offset += length
            return bytes[(offset - length)..<offset]
        }
    }

    @Test("chunks hold all bytes, within their bounds, and most are near the average")
    func bounds() {
        let bytes = Self.random(8 << 20, seed: 1)
        let lengths = Self.lengths(bytes)
        #expect(lengths.reduce(0, +) == bytes.count)
        #expect(lengths.dropLast().allSatisfy { (ContentChunker.bytesMin...ContentChunker.bytesMax).contains($0) })
        #expect((48 << 10...96 << 10).contains(bytes.count / lengths.count))
        #expect(Self.lengths([UInt8](repeating: 0, count: 600 << 10)) == [256 << 10, 256 << 10, 88 << 10])
        #expect(Self.lengths([]) == [] && Self.lengths([1]) == [1])
    }

    @Test("the cuts are those of the first release: releases of all times share chunks")
    func stability() {
        #expect(
            Self.lengths(Self.random(512 << 10, seed: 7)) == [72210, 78416, 84381, 37540, 158883, 68919, 23939])
    }

    @Test("a byte that is inserted, removed or changed anywhere changes few chunks", arguments: [0, 1 << 20, 3 << 20])
    func locality(place: Int) {
        let bytes = Self.random(4 << 20, seed: 2)
        let before = Set(chunks(bytes))
        for change in [[1], [], [bytes[place] ^ 1]] as [[UInt8]] {
            var changed = bytes
            changed.replaceSubrange(place..<(place + (change == [1] ? 0 : 1)), with: change)
            let fresh = chunks(changed).filter { !before.contains($0) }
            #expect((1...3).contains(fresh.count))
        }
    }
}
