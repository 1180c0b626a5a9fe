import Foundation
import Synchronization
import Testing
import VersionKitModel

@testable import VersionKitReleases

/// Goal: a compressed layer is unpacked as a whole or refused, whatever its bytes. Method: forged layers.
@Suite("Compressed layers")
struct CompressedLayerTests {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    private func archive(_ name: String = "bin/app", kind: Character = "0", bytes: Int = 100_000) -> [UInt8] {
        var tar = TarBuilder()
        tar.add(name, kind: kind, content: kind == "0" ? ContentChunkerTests.random(bytes, seed: 3) : [])
        return tar.finished
    }

    /// What a scanner says of a file, fed in pieces of some length; `nil`: it is safe.
    private func verdict(
        _ file: [UInt8], unpacked: Int, step: Int = 1 << 20, limits: ReleaseLimits = .standard
    ) throws -> ReleaseError.Code? {
        do throws(ReleaseError) {
            var scanner = try LayerScanner(name: "layer", unpackedSize: UInt64(unpacked), limits: limits)
            for start in stride(from: 0, to: file.count, by: step) {
                let piece = Array(file[start..<min(start + step, file.count)])
                try piece.span.bytes.withUnsafeBytes { (bytes) throws(ReleaseError) in try scanner.feed(bytes) }
            }
            let found = try scanner.finish()
            #expect(found.digest == ContentHasher.digest(of: file) && found.size == UInt64(file.count))
            return nil
        } catch {
            return error.code
        }
    }

    /// The file of a layer out of an archive, as a publisher makes it.
    private func pack(_ archive: [UInt8]) throws -> (layer: ReleaseManifest.Layer, chunks: ChunkList, file: [UInt8]) {
        try bench.write(archive, to: "archive.tar")
        try bench.write([], to: "layer")
        try FileManager.default.removeItem(atPath: bench.path("layer"))
        let output = try OpenFile.creating(bench.path("layer"), mode: 0o600)
        let packed = try LayerPacker.pack(bench.path("archive.tar"), to: output, isImage: false)
        return (packed.layer, packed.chunks, try bench.read("layer"))
    }

    @Test("a layer is cut into frames that are those of its list, and unpacks to what it was made of")
    func roundTrip() throws {
        // More than the packer reads at once.
        let archive = archive(bytes: 3 << 20)
        let (layer, list, file) = try pack(archive)
        #expect(layer.size == UInt64(file.count) && layer.unpackedSize == UInt64(archive.count))
        #expect(layer.digest == ContentHasher.digest(of: file))
        #expect(layer.chunks == ContentHasher.digest(of: list.encoded))
        var unpacked: [UInt8] = []
        for (chunk, length) in zip(list.chunks, ContentChunkerTests.lengths(archive)) {
            let frame = Array(file[Int(chunk.offset)..<Int(chunk.range.upperBound)])
            #expect(ContentHasher.digest(of: frame) == chunk.digest)
            let decompressor = try ZstdDecompressor(bytesMax: UInt64(length), windowLogMax: 20)
            try frame.withUnsafeBytes {
                try decompressor.feed($0) { (plain) throws(ReleaseError) in unpacked += plain }
            }
            try decompressor.finish()
        }
        #expect(unpacked == archive)
        #expect(try verdict(file, unpacked: archive.count) == nil)
        #expect(try pack(archive).layer == layer)
    }

    @Test("bytes that come one by one are read as those that come at once")
    func dripFeed() throws {
        let archive = archive(bytes: 20_000)
        let file = try pack(archive).file
        for step in [1, 7, 4096] { #expect(try verdict(file, unpacked: archive.count, step: step) == nil) }
        let evil = self.archive("../evil", bytes: 20_000)
        #expect(try verdict(pack(evil).file, unpacked: evil.count, step: 1) == .unsafeLayer)
    }

    @Test("a file that is cut off anywhere, or goes on, is refused")
    func truncated() throws {
        var tar = TarBuilder()
        tar.add("bin/app", content: Array("app".utf8))
        let file = try pack(tar.finished).file
        for count in 0..<file.count { #expect(try verdict(Array(file.prefix(count)), unpacked: 2048) != nil) }
        #expect(try verdict(file + [0], unpacked: 2048) == .malformed)
        #expect(try verdict(file + Array("garbage".utf8), unpacked: 2048) == .malformed)
        #expect(try verdict(file + file, unpacked: 2048) == .limitExceeded)
        #expect(try verdict(tar.finished, unpacked: 2048) == .malformed)
    }

    @Test(
        "a file may unpack to what the manifest says, to not a byte more or less, and never to more than a layer may have"
    )
    func bombs() throws {
        var tar = TarBuilder()
        tar.add("zeros", content: [UInt8](repeating: 0, count: 4 << 20))
        let file = try pack(tar.finished).file
        #expect(file.count < 8 << 10)
        #expect(try verdict(file, unpacked: tar.finished.count) == nil)
        #expect(try verdict(file, unpacked: tar.finished.count - 1) == .limitExceeded)
        #expect(try verdict(file, unpacked: 1) == .limitExceeded)
        #expect(try verdict(file, unpacked: tar.finished.count + 1) == .wrongSize)
        var limits = ReleaseLimits()
        limits.layerBytesMax = 1 << 20
        #expect(try verdict(file, unpacked: tar.finished.count, limits: limits) == .limitExceeded)
        // A frame that wants 128 MiB of memory, and would have a few bytes.
        let greedy: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x01, 0x00, 0x00]
        #expect(try verdict(greedy, unpacked: 2048) == .malformed)
    }

    @Test(
        "what no archive may hold, no compressed one may, and tar never sees it",
        arguments: ["../evil", "/evil", "device", "link"])
    func forged(_ name: String) async throws {
        var tar = TarBuilder()
        // What comes before it is on its way to tar already.
        tar.add("innocent", content: [UInt8](repeating: 7, count: 1 << 20))
        switch name {
        case "device": tar.add("evil/sda", kind: "4")
        case "link":
            tar.add("way", kind: "2", link: "/")
            tar.add("way/evil", content: [1])
        default: tar.add(name, content: [1])
        }
        let store = try bench.store()
        let layer = try pack(tar.finished).layer
        try store.addLayer(layer, fromFile: bench.path("layer"))
        let tarsView = View()
        let error = await failure { _ = try await store.unpack(layer, runner: tarsView) }
        #expect(error?.code == .unsafeLayer)
        let seen = String(decoding: tarsView.bytes.withLock { $0 }, as: UTF8.self)
        #expect(seen.hasPrefix("innocent"))
        #expect(!seen.contains("evil"))
        #expect(try bench.names("store/unpacked").isEmpty)
        #expect(try bench.names("store/incoming").isEmpty)
    }

    /// Takes what tar would see, and does nothing with it.
    private final class View: CommandRunner {
        let bytes = Mutex<[UInt8]>([])

        func run(_ program: String, _ arguments: [String], input: Int32?) async throws -> CommandResult {
            let input = try #require(input)
            // Who sends needs the threads that tests share.
            await withCheckedContinuation { continuation in
                Thread.detachNewThread {
                    var buffer = [UInt8](repeating: 0, count: 64 << 10)
                    while case let count = read(input, &buffer, buffer.count), count > 0 {
                        self.bytes.withLock { $0 += buffer[..<count] }
                    }
                    continuation.resume()
                }
            }
            return CommandResult(exitCode: 0)
        }
    }

    @Test("a program's set-user-ID bit stays: environments, not layers, see to it that nobody gains by it")
    func setUserID() async throws {
        var tar = TarBuilder()
        tar.add("bin/app", content: [1], mode: 0o4755)
        let store = try bench.store()
        let layer = try pack(tar.finished).layer
        try store.addLayer(layer, fromFile: bench.path("layer"))
        let directory = try await store.unpack(layer, runner: bench.runner)
        var status = stat()
        try #require(stat(directory + "/bin/app", &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o4755 && status.st_uid == geteuid())
        // Nobody else of the host comes near it.
        try #require(stat(bench.storeRoot, &status) == 0)
        #expect(status.st_mode & 0o077 == 0)
    }
}
