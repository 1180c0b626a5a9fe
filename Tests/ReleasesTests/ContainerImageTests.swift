import Foundation
import Testing
import VersionKitModel
import VersionKitReleases

/// Goal: images are taken as they are, or refused as a whole. Method: images as builders write them, and forged ones.
@Suite("Images in OCI layout")
struct ContainerImageTests {
    /// Two layers: the second takes a file and the contents of a directory away.
    private var layers: [[UInt8]] {
        var lower = TarBuilder()
        lower.add("bin/app", content: Array("app".utf8), mode: 0o755)
        lower.add("etc/old", content: Array("old".utf8))
        lower.add("cache/one", content: Array("1".utf8))
        var upper = TarBuilder()
        upper.add("etc/.wh.old")
        upper.add("cache/.wh..wh..opq")
        upper.add("cache/two", content: Array("2".utf8))
        upper.add(".wh..wh.plnk/note")
        return [lower.finished, upper.finished]
    }

    @Test(
        "an image is unpacked to a directory for each layer, however it is compressed",
        arguments: [nil, "gzip", "zstd"])
    func unpacks(packing: String?) async throws {
        let bench = try Workbench()
        try await bench.writeImage(layers, packing: packing)
        let image = try await ContainerImage.unpack(
            bench.path("image"), into: bench.path("layers"), runner: bench.runner)
        #expect(image.layers.map(\.directory) == [bench.path("layers/0"), bench.path("layers/1")])
        #expect(image.command == ["/bin/app", "serve"])
        #expect(image.environment == ["MODE=test"])
        #expect(image.user == "app")
        #expect(try bench.names("layers") == ["0", "0.tar", "1", "1.tar"])
        #expect(try bench.read("layers/0/bin/app") == Array("app".utf8))
        #expect(try bench.names("layers/1") == ["cache", "etc"])
        #expect(try bench.names("layers/1/cache") == ["two"])
        var status = stat()
        try #require(lstat(bench.path("layers/1/etc/old"), &status) == 0)
        #expect(status.st_mode & S_IFMT == S_IFCHR && status.st_rdev == 0)
        try await merge(image.layers.reversed().map(\.directory), bench)
        #expect(try bench.names("merged/cache") == ["two"])
        #expect(try bench.names("merged/etc") == [])
        #expect(try bench.names("merged/bin") == ["app"])
    }

    @Test("a byte that changed is noticed, in a layer as in a manifest")
    func digests() async throws {
        for kind in ["layer", "manifest", "config"] {
            let bench = try Workbench()
            let digests = try await bench.writeImage(layers)
            let digest = try #require(digests[kind])
            var bytes = try bench.read("image/blobs/sha256/\(digest)")
            bytes[0] ^= 1
            try bench.write(bytes, to: "image/blobs/sha256/\(digest)")
            #expect(await code(bench) == .wrongDigest, "\(kind)")
            #expect(bench.exists("layers") == false)
        }
    }

    @Test(
        "a layer that leads outside, holds a device, or takes away what is no file is refused",
        arguments: ["../out", "/out", "etc/.wh...", ".wh.", "device"])
    func escapes(name: String) async throws {
        let bench = try Workbench()
        var tar = TarBuilder()
        if name == "device" { tar.add("dev/sda", kind: "4") } else { tar.add(name, content: []) }
        try await bench.writeImage([tar.finished])
        #expect(await code(bench) == .unsafeLayer)
        #expect(bench.exists("out") == false && bench.exists("layers") == false)
    }

    @Test("a layer cannot write through a link of a layer below")
    func links() async throws {
        let bench = try Workbench()
        try FileManager.default.createDirectory(atPath: bench.path("outside"), withIntermediateDirectories: true)
        var lower = TarBuilder()
        lower.add("way", kind: "2", link: bench.path("outside"))
        var upper = TarBuilder()
        upper.add("way/out", content: Array("x".utf8))
        try await bench.writeImage([lower.finished, upper.finished])
        _ = try await ContainerImage.unpack(bench.path("image"), into: bench.path("layers"), runner: bench.runner)
        #expect(try bench.names("outside") == [])
        #expect(try bench.read("layers/1/way/out") == Array("x".utf8))
    }

    @Test("an image may not have more bytes than it may, however small it is packed", arguments: ["gzip", "zstd"])
    func bombs(packing: String) async throws {
        let bench = try Workbench()
        var tar = TarBuilder()
        tar.add("zeros", content: [UInt8](repeating: 0, count: 1 << 20))
        try await bench.writeImage([tar.finished], packing: packing)
        var limits = ReleaseLimits()
        limits.layerBytesMax = 512 << 10
        #expect(await code(bench, limits: limits) == .limitExceeded)
        #expect(bench.exists("layers") == false)
    }

    @Test("an image for another machine, or packed in a way that is not known, says so")
    func others() async throws {
        let foreign = try Workbench()
        try await foreign.writeImage(layers, architecture: "s390x")
        #expect(await code(foreign) == .notFound)
        for packing in ["+zstd", "+xz"] {
            let other = try Workbench()
            try await other.writeImage(layers, mediaType: Workbench.imageLayer + packing)
            #expect(await code(other) == .malformed)
        }
        let none = try Workbench()
        #expect(await code(none) == .notFound)
        let full = try Workbench()
        try await full.writeImage(layers)
        try full.write("", to: "layers/0")
        #expect(await code(full) == .conflict)
    }

    /// What an environment sees of layers.
    private func merge(_ layers: [String], _ bench: Workbench) async throws {
        let (root, merged) = (bench.path("root"), bench.path("merged"))
        let script = "mkdir $2 && mount -t overlay -o ro,userxattr,lowerdir=$1 overlay $2 && cp -r $2 $3"
        let result = try await bench.runner.run(
            "unshare", ["--mount", "sh", "-ec", script, "sh", layers.joined(separator: ":"), root, merged])
        try #require(result.exitCode == 0, "\(result)")
    }

    private func code(_ bench: Workbench, limits: ReleaseLimits = .standard) async -> ReleaseError.Code? {
        await failure {
            _ = try await ContainerImage.unpack(
                bench.path("image"), into: bench.path("layers"), limits: limits, runner: bench.runner)
        }?.code
    }
}
