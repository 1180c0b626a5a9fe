import Foundation
import Testing
import VersionKitModel

@testable import VersionKitReleases

/// Goal: of a layer only that travels which is not here, and nothing is believed unseen. Method: two releases that differ in
/// a few bytes, and stores whose files lie.
@Suite("Chunks in the store")
struct ChunkStoreTests {
    private let bench: Workbench
    private let store: ReleaseStore

    init() throws {
        bench = try Workbench()
        store = try bench.store()
    }

    /// Makes a release of a large file in which `change` bytes are others.
    private func make(_ version: Version, change: Range<Int>) async throws -> ReleaseManifest {
        var bytes = ContentChunkerTests.random(2 << 20, seed: 5)
        for index in change { bytes[index] ^= 0x55 }
        try bench.write(bytes, to: "files-\(version)/large")
        return try await bench.makeRelease(version: version, into: "out-\(version)")
    }

    private func list(_ layer: ReleaseManifest.Layer, in directory: String) throws -> [UInt8] {
        try bench.read("\(directory)/layers/\(#require(layer.chunks).hex).chunks")
    }

    private func file(_ layer: ReleaseManifest.Layer, in directory: String) throws -> [UInt8] {
        try bench.read("\(directory)/layers/\(layer.digest.hex).tar.zst")
    }

    @Test("what an earlier release has of a layer is at its place, and the rest comes chunk by chunk")
    func held() async throws {
        _ = try await make(1, change: 0..<0)
        let two = try await make(2, change: 1 << 20..<(1 << 20) + 1000).layers[0]
        try store.importRelease(from: bench.path("out-1"), trust: bench.trust)
        let list = try store.addChunks(list(two, in: "out-2"), of: two)
        #expect(try store.chunks(of: two) == list)
        let file = try file(two, in: "out-2")
        var receiver = try store.receive(two, chunks: list)
        #expect(receiver.heldBytes + receiver.missingBytes == two.size)
        #expect(receiver.missingBytes < two.size / 4)
        for chunk in receiver.missing {
            try receiver.append(Array(file[Int(chunk.offset)..<Int(chunk.range.upperBound)]))
        }
        try receiver.finish()
        #expect(try bench.read("store/layers/\(two.digest.hex)") == file)
        #expect(try bench.names("store/incoming").isEmpty)
        // Now all of it is here, but for a release that says so.
        #expect(try store.receive(two, chunks: list).missingBytes > 0)
        try store.importRelease(from: bench.path("out-2"), trust: bench.trust)
        let whole = try store.receive(two, chunks: list)
        #expect(whole.missing.isEmpty)
        try whole.finish()
    }

    @Test("chunks are put into a file of somebody else's, too, and what is there stays")
    func placed() async throws {
        let one = try await make(1, change: 0..<0).layers[0]
        let two = try await make(2, change: 0..<1000).layers[0]
        try store.importRelease(from: bench.path("out-1"), trust: bench.trust)
        let list = try store.addChunks(list(two, in: "out-2"), of: two)
        let wanted = try file(two, in: "out-2")
        try bench.write([UInt8](repeating: 9, count: 100), to: "partial")
        let missing = try store.placeHeldChunks(of: list, inFile: bench.path("partial"))
        #expect(missing.first?.offset == 0)
        var partial = try bench.read("partial")
        #expect(partial[..<100].allSatisfy { $0 == 9 })
        for chunk in missing {
            let range = Int(chunk.offset)..<Int(chunk.range.upperBound)
            partial.replaceSubrange(range, with: wanted[range])
        }
        #expect(partial == wanted)
        #expect(try file(one, in: "out-1") != wanted)
    }

    @Test("bytes that are not the chunk's are refused at once, and those of a disk that rotted are not used")
    func wrong() async throws {
        let one = try await make(1, change: 0..<0).layers[0]
        let list = try store.addChunks(list(one, in: "out-1"), of: one)
        let bytes = try file(one, in: "out-1")
        let chunk = try #require(list.chunks.first)
        let right = Array(bytes[..<chunk.length])
        for wrong in [[], Array(right.dropLast()), right + [0], right.dropLast() + [right[chunk.length - 1] ^ 1]] {
            let error = await failure {
                var receiver = try store.receive(one, chunks: list)
                try receiver.append(wrong)
            }
            #expect(error?.code == .wrongDigest && error?.side == .peer)
        }
        let early = await failure {
            var receiver = try store.receive(one, chunks: list)
            try receiver.append(right)
            try receiver.finish()
        }
        #expect(early?.code == .wrongSize)
        #expect(try bench.names("store/incoming").isEmpty && !store.hasLayer(one.digest))

        try store.importRelease(from: bench.path("out-1"), trust: bench.trust)
        #expect(try store.receive(one, chunks: list).missing.isEmpty)
        var rotten = bytes
        rotten[Int(list.chunks[3].offset)] ^= 1
        try bench.write(rotten, to: "store/layers/\(one.digest.hex)")
        #expect(try store.receive(one, chunks: list).missing == [list.chunks[3]])
        // A list that rotted hides its layer.
        try bench.write([1, 2, 3], to: "store/layers/\(#require(one.chunks).hex).chunks")
        #expect(try store.receive(one, chunks: list).missing == list.chunks)
    }

    @Test("a list that is not the manifest's, or whose chunks are not the layer, is refused")
    func lies() async throws {
        let one = try await make(1, change: 0..<0).layers[0]
        var bytes = try list(one, in: "out-1")
        bytes[bytes.count - 1] ^= 1
        #expect(await failure { try store.addChunks(bytes, of: one) }?.code == .wrongDigest)
        // A publisher who signs a list of other bytes.
        var forged = ChunkList()
        let content: [UInt8] = [1, 2, 3]
        forged.append(length: 3, digest: ContentHasher.digest(of: content))
        var layer = one
        layer.size = 3
        layer.chunks = ContentHasher.digest(of: forged.encoded)
        let error = await failure {
            var receiver = try store.receive(layer, chunks: store.addChunks(forged.encoded, of: layer))
            try receiver.append(content)
            try receiver.finish()
        }
        #expect(error?.code == .wrongDigest && error?.side == .publisher)
        #expect(try bench.names("store/incoming").isEmpty)
    }

    @Test("a release whose list of chunks is not here is not complete")
    func incomplete() async throws {
        let made = try await make(1, change: 0..<0)
        try store.importRelease(from: bench.path("out-1"), trust: bench.trust)
        #expect(try store.missingLayers(of: made).isEmpty)
        let list = try #require(made.layers[0].chunks)
        #expect(try store.readChunks(list) == self.list(made.layers[0], in: "out-1"))
        try FileManager.default.removeItem(atPath: bench.path("store/layers/\(list.hex).chunks"))
        #expect(try store.missingLayers(of: made) == made.layers)
        #expect(await failure { _ = try store.readChunks(list) }?.code == .notFound)
    }
}
