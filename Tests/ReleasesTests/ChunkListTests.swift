import Testing
import VersionKitModel

@testable import VersionKitReleases

@Suite("Lists of chunks")
struct ChunkListTests {
    private let list: ChunkList = {
        var list = ChunkList()
        for (index, length) in [70_000, 1, 20_000].enumerated() {
            list.append(length: length, digest: ContentHasher.digest(of: [UInt8(index)]))
        }
        return list
    }()

    private func layer(_ size: UInt64 = 90_001, unpacked: UInt64? = 100_000) -> ReleaseManifest.Layer {
        .init(
            digest: ContentHasher.digest(of: []), size: size, mediaType: ReleaseManifest.Layer.zstd,
            unpackedSize: unpacked)
    }

    private func code(_ bytes: [UInt8], _ layer: ReleaseManifest.Layer? = nil) -> ReleaseError.Code? {
        do throws(ReleaseError) {
            _ = try ChunkList(bytes, of: layer ?? self.layer())
            return nil
        } catch {
            return error.code
        }
    }

    @Test("a list is read as it was written, without gaps")
    func roundTrip() throws {
        #expect(list.encoded.count == 12 + 3 * 36)
        #expect(try ChunkList(list.encoded, of: layer()) == list)
        #expect(list.chunks.map(\.range) == [0..<70_000, 70_000..<70_001, 70_001..<90_001])
    }

    @Test("a list that is cut off anywhere, or goes on, is refused")
    func truncated() {
        for count in 0..<list.encoded.count { #expect(code(Array(list.encoded.prefix(count))) == .malformed) }
        #expect(code(list.encoded + [0]) == .malformed)
    }

    @Test("a list of other bytes than the layer's, or with absurd numbers, is refused")
    func lies() {
        #expect(code(list.encoded, layer(90_000)) == .malformed)
        #expect(code(list.encoded, layer(90_002)) == .malformed)
        #expect(code(ChunkList().encoded) == .malformed)
        // The number of chunks, and the length of the first.
        for (offset, expected) in [(8, ReleaseError.Code.limitExceeded), (12, .malformed)] {
            for number in [UInt32.max, 1 << 31, 1 << 24] {
                var bytes = list.encoded
                for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: number >> (24 - 8 * index)) }
                #expect(code(bytes) == expected)
            }
        }
        var empty = list.encoded
        empty.replaceSubrange(12..<16, with: [0, 0, 0, 0])
        #expect(code(empty) == .malformed)
        #expect(code(list.encoded, layer(unpacked: 20_000)) == .limitExceeded)
    }

    @Test("no byte of a list can change without its being refused, or being another list")
    func flipped() throws {
        for index in list.encoded.indices {
            var bytes = list.encoded
            bytes[index] ^= 0x11
            let read = try? ChunkList(bytes, of: layer())
            #expect(read != list)
            if let read { #expect(read.encoded == bytes) }
        }
    }

    @Test("chunks that follow each other are asked for together, up to a length")
    func runs() {
        let chunks = list.chunks
        #expect(ChunkRun.runs(of: chunks, bytesMax: 1 << 20).map(\.length) == [90_001])
        #expect(ChunkRun.runs(of: chunks, bytesMax: 70_001).map(\.length) == [70_001, 20_000])
        #expect(ChunkRun.runs(of: chunks, bytesMax: 1).map(\.offset) == [0, 70_000, 70_001])
        #expect(
            ChunkRun.runs(of: [chunks[0], chunks[2]], bytesMax: 1 << 20).map(\.chunks) == [[chunks[0]], [chunks[2]]])
        #expect(ChunkRun.runs(of: [], bytesMax: 1) == [])
    }
}
