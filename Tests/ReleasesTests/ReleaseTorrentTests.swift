import Foundation
import Testing
import VersionKitModel

@testable import VersionKitReleases

@Suite("ReleaseTorrent")
struct ReleaseTorrentTests {
    private func layer(_ byte: UInt8, _ size: UInt64) throws -> ReleaseManifest.Layer {
        .init(digest: try #require(Digest(bytes: [UInt8](repeating: byte, count: 32))), size: size)
    }

    /// More than a release without a torrent file may have, whatever becomes of it on the way.
    private var incompressible: [UInt8] {
        var random = SeededGenerator(state: 1)
        return (0..<400_000).map { _ in .random(in: .min ... .max, using: &random) }
    }

    @Test("the file has the keys of a private torrent, in their order, and each layer begins with a piece of its own")
    func encoding() throws {
        let layers = [try layer(1, 20_000), try layer(2, 16_384), try layer(3, 5)]
        let torrent = ReleaseTorrent(layers)
        let hashes = [UInt8](repeating: 65, count: 4 * 20)
        let names = layers.map(\.digest.hex)
        #expect(
            String(decoding: torrent.file(hashes: hashes), as: UTF8.self) == """
                d4:infod5:filesl\
                d6:lengthi20000e4:pathl64:\(names[0])ee\
                d4:attr1:p6:lengthi12768e4:pathl4:.pad5:12768ee\
                d6:lengthi16384e4:pathl64:\(names[1])ee\
                d6:lengthi5e4:pathl64:\(names[2])ee\
                e4:name6:layers12:piece lengthi16384e6:pieces80:\(String(repeating: "A", count: 80))\
                7:privatei1eee
                """)
        #expect(torrent.unwanted(except: [layers[1].digest]) == [true, true, false, true])
    }

    @Test(
        "pieces are as long as the release wants it, within bounds",
        arguments: [
            [1, 16_384, 1], [16_777_216, 16_384, 1024], [48_000_000, 65_536, 733], [68_719_476_736, 4_194_304, 16_384],
        ])
    func pieceSize(row: [UInt64]) throws {
        let torrent = ReleaseTorrent([try layer(1, row[0])])
        #expect(torrent.pieceBytes == row[1])
        #expect(torrent.pieceCount == Int(row[2]))
    }

    @Test("only a file of just these layers is sound")
    func soundness() throws {
        let layers = [try layer(1, 20_000), try layer(2, 16_384)]
        let torrent = ReleaseTorrent(layers)
        let file = torrent.file(hashes: [UInt8](repeating: 0, count: 60))
        #expect(torrent.isSound(file))
        #expect(!ReleaseTorrent([layers[1], layers[0]]).isSound(file))
        #expect(!torrent.isSound([]))
        #expect(!torrent.isSound(file + [0]))
        let framed = Set(0..<file.count).subtracting(file.count - 74..<file.count - 14)
        for place in framed {
            var changed = file
            changed[place] ^= 1
            #expect(!torrent.isSound(changed), "byte \(place)")
        }
    }

    @Test("making a release makes its torrent file, the same each time; a small one has none")
    func made() async throws {
        let bench = try Workbench()
        #expect(try await bench.makeRelease().swarm == nil)
        #expect(!bench.exists("out/release.torrent"))
        try bench.write(incompressible, to: "files-1/opt/big")
        let first = try await bench.makeRelease()
        let torrent = try bench.read("out/release.torrent")
        #expect(first.swarm == ContentHasher.digest(of: torrent))
        #expect(first.format == 3)
        #expect(ReleaseTorrent(first.layers).isSound(torrent))
        #expect(try await bench.makeRelease() == first)
        #expect(try bench.read("out/release.torrent") == torrent)
    }

    @Test("a store takes the torrent file that the manifest names and no other one, and hands it out again")
    func stored() async throws {
        let bench = try Workbench()
        try bench.write(incompressible, to: "files-1/opt/big")
        let manifest = try await bench.makeRelease()
        let torrent = try bench.read("out/release.torrent")
        let store = try ReleaseStore(root: bench.path("store"))
        try store.importRelease(from: bench.path("out"), trust: bench.trust)
        #expect(try store.torrent(of: manifest) == torrent)
        let error = await failure { try store.add(torrent: torrent + [0], of: manifest) }
        #expect(error?.code == .wrongDigest)
        #expect(try store.torrent(of: manifest) == torrent)
    }

    @Test("what a torrent has brought comes into the store only if it is the right layer")
    func adopted() async throws {
        let bench = try Workbench()
        try bench.write(incompressible, to: "files-1/opt/big")
        let manifest = try await bench.makeRelease()
        let (layer, swarm) = (manifest.layers[0], try #require(manifest.swarm))
        let content = try bench.read("out/layers/\(layer.digest.hex).tar.zst")
        let store = try ReleaseStore(root: bench.path("store"))
        try store.add(
            manifestBytes: bench.read("out/manifest.json"), signatureBytes: bench.read("out/manifest.sig"),
            trust: bench.trust)
        let list = try #require(layer.chunks)
        try store.addChunks(bench.read("out/layers/\(list.hex).chunks"), of: layer)
        try store.prepareDownload(of: [layer], by: swarm)
        let path = store.downloadPath(layer.digest, swarm)
        #expect(try Data(contentsOf: URL(filePath: path)).count == Int(layer.size))
        let error = await failure { try store.adopt(layer, by: swarm) }
        #expect(error?.code == .wrongDigest)
        #expect(try !store.hasLayer(layer.digest))
        // A download that was not finished stays, with what it has.
        try Data(content).write(to: URL(filePath: path))
        try store.prepareDownload(of: [layer], by: swarm)
        try store.removeFinishedDownloads()
        try store.adopt(layer, by: swarm)
        #expect(try store.readLayer(layer.digest).read(at: 0, count: content.count) == content)
        try store.removeFinishedDownloads()
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(try store.hasLayer(layer.digest))
    }
}
