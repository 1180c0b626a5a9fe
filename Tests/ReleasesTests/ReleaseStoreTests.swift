import Foundation
import Testing
import VersionKitModel
import VersionKitReleases

@Suite("ReleaseStore")
struct ReleaseStoreTests {
    @Test("an imported release is listed, complete, and survives reopening")
    func importing() async throws {
        let bench = try Workbench()
        let made = try await bench.makeRelease()
        do {
            let store = try bench.store()
            #expect(try store.missingLayers(of: made) == made.layers)
            try store.importRelease(from: bench.path("out"), trust: bench.trust)
            try store.importRelease(from: bench.path("out"), trust: bench.trust)
        }
        let store = try bench.store()
        #expect(try store.missingLayers(of: made).isEmpty)
        let listing = try store.releases()
        #expect(listing.releases.map(\.manifest) == [made])
        #expect(listing.damaged.isEmpty)
        let release = try store.release(bench.application, 1)
        #expect(try release.manifestBytes == bench.read("out/manifest.json"))
        #expect(try release.signatureBytes == bench.read("out/manifest.sig"))
        #expect(try bench.names("store/incoming").isEmpty)
    }

    @Test("an unsigned, changed or incomplete directory is not imported")
    func importingRubbish() async throws {
        let bench = try Workbench()
        let made = try await bench.makeRelease()
        let store = try bench.store()
        let layer = "out/layers/\(made.layers[0].digest.hex).tar.zst"
        let good = try bench.read(layer)

        var flipped = good
        flipped[good.count / 2] ^= 1
        for (bytes, code) in [
            (flipped, ReleaseError.Code.wrongDigest), (good.dropLast(), .wrongSize), (good + [0], .wrongSize),
        ] {
            try bench.write(Array(bytes), to: layer)
            let error = await failure { try store.importRelease(from: bench.path("out"), trust: bench.trust) }
            #expect(error?.code == code)
        }
        try FileManager.default.removeItem(atPath: bench.path("out/manifest.sig"))
        let unsigned = await failure { try store.importRelease(from: bench.path("out"), trust: bench.trust) }
        #expect(unsigned?.message.contains("manifest.sig") == true)
        #expect(try store.releases().releases.isEmpty)
        #expect(try bench.names("store/layers").isEmpty)
        #expect(try bench.names("store/incoming").isEmpty)
    }

    @Test("a layer received in pieces is kept if it is right, and served in pieces")
    func receivingAndServing() async throws {
        let bench = try Workbench()
        let made = try await bench.makeRelease()
        let layer = made.layers[0]
        let bytes = try bench.read("out/layers/\(layer.digest.hex).tar.zst")
        let store = try bench.store()
        var receiver = try store.receive(layer)
        for start in stride(from: 0, to: bytes.count, by: 1000) {
            try receiver.append(Array(bytes[start..<min(start + 1000, bytes.count)]))
        }
        #expect(receiver.receivedBytes == layer.size)
        try receiver.finish()

        let reader = try store.readLayer(layer.digest)
        #expect(reader.size == layer.size)
        var served: [UInt8] = []
        while UInt64(served.count) < reader.size {
            served += try reader.read(at: UInt64(served.count), count: 777)
        }
        #expect(served == bytes)
        #expect(try reader.read(at: layer.size, count: 1).isEmpty)
    }

    @Test("wrong bytes are refused with both digests, or both sizes, and leave nothing behind")
    func wrongBytes() async throws {
        let bench = try Workbench()
        let digest = try #require(Digest(hex: String(repeating: "ab", count: 32)))
        let store = try bench.store()
        func receive(_ pieces: [[UInt8]]) async -> ReleaseError? {
            await failure {
                var receiver = try store.receive(.init(digest: digest, size: 4))
                for piece in pieces { try receiver.append(piece) }
                try receiver.finish()
            }
        }
        let wrong = try #require(await receive([[1, 2], [3, 4]]))
        #expect(wrong.code == .wrongDigest)
        #expect(wrong.side == .peer && wrong.isRetrySafe)
        #expect(wrong.message.contains(digest.description) && wrong.message.contains("sha256:9f64a747"))
        let short = try #require(await receive([[1, 2, 3]]))
        #expect(short.code == .wrongSize)
        #expect(short.message.contains("4 bytes") && short.message.contains("3 came"))
        #expect(await receive([[1, 2, 3], [4, 5]])?.code == .wrongSize)
        #expect(try bench.names("store/incoming").isEmpty)
        #expect(try bench.names("store/layers").isEmpty)
    }

    @Test("what is over a limit is refused")
    func limits() async throws {
        let bench = try Workbench()
        var limits = ReleaseLimits()
        limits.layerBytesMax = 100
        limits.releasesMax = 1
        let store = try bench.store(limits: limits)
        let digest = try #require(Digest(hex: String(repeating: "ab", count: 32)))
        let large = await failure { _ = try store.receive(.init(digest: digest, size: 101)) }
        #expect(large?.code == .limitExceeded)
        func add(_ version: Version, name: String = "x") throws {
            var manifest = bench.manifest(version: version, layers: [.init(digest: digest, size: 10)])
            manifest.name = name
            let bytes = manifest.canonicalBytes()
            try store.add(
                manifestBytes: bytes, signatureBytes: ReleaseSigner.sign(bytes, with: bench.key), trust: bench.trust)
        }
        try add(1)
        try add(1)
        #expect(await failure { try add(1, name: "changed") }?.code == .conflict)
        #expect(await failure { try add(2) }?.code == .limitExceeded)
        try store.remove(bench.application, 1)
        try add(2)
    }

    @Test("what a crash left behind is swept when the store is opened, but not under another user of it")
    func sweeping() throws {
        let bench = try Workbench()
        let first = try bench.store()
        try bench.write([1, 2, 3], to: "store/incoming/file-left")
        try bench.write([1], to: "store/incoming/tree-left/a/b/c")
        try withExtendedLifetime(first) {
            _ = try bench.store()
            #expect(try bench.names("store/incoming") == ["file-left", "tree-left"])
        }
    }

    @Test("leftovers that are hard to remove are swept too")
    func sweepingStubbornThings() async throws {
        let bench = try Workbench()
        _ = try bench.store()
        try bench.write([1], to: "store/incoming/tree-left/a/b")
        try bench.write([1], to: "precious/file")
        try FileManager.default.createSymbolicLink(
            atPath: bench.path("store/incoming/tree-left/link"), withDestinationPath: bench.path("precious"))
        chmod(bench.path("store/incoming/tree-left/a"), 0)
        // A program that another test starts at this moment has the store open, too, until it is executed.
        for _ in 0..<500 where try !bench.names("store/incoming").isEmpty {
            _ = try bench.store()
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(try bench.names("store/incoming").isEmpty)
        #expect(bench.exists("precious/file"))
    }

    @Test("removing a release removes its layers, except those of others")
    func removing() async throws {
        let bench = try Workbench()
        let one = try await bench.makeRelease(version: 1)
        let two = try await bench.makeRelease(version: 2, into: "out-2")
        let store = try bench.store()
        try store.importRelease(from: bench.path("out"), trust: bench.trust)
        try store.importRelease(from: bench.path("out-2"), trust: bench.trust)
        let shared = bench.manifest(version: 3, layers: [one.layers[0]]).canonicalBytes()
        try store.add(
            manifestBytes: shared, signatureBytes: ReleaseSigner.sign(shared, with: bench.key), trust: bench.trust)
        _ = try await store.unpack(two, runner: bench.runner)
        try store.remove(bench.application, 1)
        try store.remove(bench.application, 2)
        #expect(try bench.names("store/layers") == names(of: one.layers[0]))
        #expect(try bench.names("store/unpacked").isEmpty)
        #expect(try bench.names("store/incoming").isEmpty)
        #expect(await failure { try store.remove(bench.application, 2) }?.code == .notFound)
        try store.remove(bench.application, 3)
        #expect(try bench.names("store/layers").isEmpty)
    }

    /// What the store has of a layer.
    private func names(of layer: ReleaseManifest.Layer) throws -> [String] {
        try [layer.digest.hex, #require(layer.chunks).hex + ".chunks"].sorted()
    }

    @Test("layers that no release uses can be removed, and a damaged manifest protects them all")
    func unusedLayers() async throws {
        let bench = try Workbench()
        let made = try await bench.makeRelease()
        let store = try bench.store()
        try store.addLayer(made.layers[0], fromFile: bench.path("out/layers/\(made.layers[0].digest.hex).tar.zst"))
        try bench.write("rubbish", to: "store/manifests/irislog/7/manifest.json")
        try store.removeUnusedLayers()
        #expect(try store.hasLayer(made.layers[0].digest))
        #expect(try store.releases().damaged.count == 1)
        try store.remove(bench.application, 7)
        try store.removeUnusedLayers()
        #expect(try !store.hasLayer(made.layers[0].digest))
    }
}
