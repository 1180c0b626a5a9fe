import Foundation
import Testing
import VersionKitModel

@testable import VersionKitReleases

/// Goal: publishers see what they publish. Method: releases of packages, images and files, looked at, compared and checked.
@Suite("Looking at releases")
struct ReleaseToolTests {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    /// Builds a Debian package with one file.
    private func buildPackage(_ name: String, version: String, content: String) async throws {
        let control = """
            Package: \(name)
            Version: \(version)
            Architecture: all
            Maintainer: Nobody <nobody@example.org>
            Description: none

            """
        try bench.write(control, to: "deb/DEBIAN/control")
        try bench.write("#!/bin/sh\nexit 1\n", to: "deb/DEBIAN/postinst")
        chmod(bench.path("deb/DEBIAN/postinst"), 0o755)
        try bench.write(content, to: "deb/usr/bin/\(name)")
        let result = try await bench.runner.run(
            "dpkg-deb", ["--root-owner-group", "--build", bench.path("deb"), bench.path("\(name).deb")])
        try #require(result.exitCode == 0, "\(result)")
    }

    private func make(
        _ debs: [String], files: [String], into output: String = "out", limits: ResourceLimits? = nil
    ) async throws -> ReleaseManifest {
        var description = ReleaseDescription(manifest: bench.manifest(), files: files, directory: bench.root)
        description.manifest.limits = limits
        description.debs = debs
        return try await ReleaseMaker(runner: bench.runner).make(description: description, into: bench.path(output))
    }

    @Test("a Debian package becomes a layer below the files, and keeps its name and version")
    func packages() async throws {
        try await buildPackage("tool", version: "1:2.3-4", content: "package")
        try bench.write("files", to: "root/usr/bin/other")
        let made = try await make(["tool.deb"], files: ["root"])
        #expect(made.format == 3 && made.layers.count == 2)
        #expect(made.layers[0].package == .init(name: "tool", version: "1:2.3-4"))
        #expect(made.layers[1].package == nil)
        #expect(try await make(["tool.deb"], files: ["root"], into: "again") == made)
        try ReleaseSigner.signRelease(in: bench.path("out"), with: bench.key)
        let store = try bench.store()
        try store.importRelease(from: bench.path("out"), trust: bench.trust)
        let directories = try await store.unpack(made, runner: bench.runner)
        #expect(try Data(contentsOf: URL(fileURLWithPath: directories[0] + "/usr/bin/tool")) == Data("package".utf8))
        let summary = try ReleaseSummary(ReleaseFolder(bench.path("out")), withFiles: true)
        #expect(summary.table.contains("tool 1:2.3-4"))
        #expect(summary.table.contains("usr/bin/other"))
        #expect(summary.layers[0].files?.map(\.path).contains("usr/bin/tool") == true)
        #expect(summary.signers == [bench.key.publicKey.keyID])
    }

    @Test("a file that is no package, or is not there, is refused, and nothing is left")
    func noPackage() async throws {
        try bench.write("rubbish", to: "rubbish.deb")
        for name in ["rubbish.deb", "missing.deb"] {
            let error = await failure { _ = try await make([name], files: []) }
            #expect(error?.code == .commandFailed && error?.message.contains(name) == true)
            #expect(try bench.names("out") == ["layers"])
        }
    }

    @Test("a difference names what was added, removed and changed, and what a node fetches")
    func difference() async throws {
        let large = ContentChunkerTests.random(1 << 20, seed: 9)
        for (name, extra) in [("one", "gone"), ("two", "new")] {
            try bench.write(large, to: "\(name)/large")
            try bench.write(name, to: "\(name)/same-size")
            try bench.write("x", to: "\(name)/\(extra)")
            try bench.write("same", to: "\(name)/same")
            _ = try await make(
                [], files: [name], into: "release-\(name)", limits: name == "two" ? .init(tasks: 9) : nil)
        }
        let difference = try ReleaseDifference(
            from: ReleaseFolder(bench.path("release-one")), to: ReleaseFolder(bench.path("release-two")))
        #expect(difference.added == [.init(path: "new", after: 1)])
        #expect(difference.removed == [.init(path: "gone", before: 1)])
        #expect(difference.changed == [.init(path: "same-size", before: 3, after: 3)])
        #expect(difference.bytesOfAll > 1 << 20)
        #expect(difference.bytesToFetch < difference.bytesOfAll / 2)
        #expect(difference.text.contains("+ new  1\n- gone  1\n* same-size  3 -> 3\n"))
        #expect(difference.text.contains("limits: none -> 9 tasks\n"))
        let limited = try ReleaseSummary(ReleaseFolder(bench.path("release-two")), withFiles: false)
        #expect(limited.limits == .init(tasks: 9) && limited.table.contains("limits     9 tasks"))
        let same = try ReleaseFolder(bench.path("release-one"))
        let nothing = try ReleaseDifference(from: same, to: same)
        #expect(
            nothing.added.isEmpty && nothing.removed.isEmpty && nothing.changed.isEmpty && nothing.bytesToFetch == 0
                && nothing.limits == nil)
    }

    @Test("what a layer of an image takes away is not in the release any more")
    func whiteouts() throws {
        func file(_ path: String) -> ArchivedFile {
            .init(path: path, kind: .file, size: 1, content: ContentHasher.digest(of: []))
        }
        let plain = ReleaseManifest.Layer(digest: ContentHasher.digest(of: []), size: 1)
        var image = plain
        image.mediaType = ReleaseManifest.Layer.imageZstd
        var tree = ReleaseTree()
        tree.add(plain, files: ["etc/old", "cache/one", "tree/deep/file", "kept"].map(file))
        tree.add(image, files: ["etc/.wh.old", "cache/.wh..wh..opq", "cache/two", ".wh.tree"].map(file))
        #expect(tree.files.keys.sorted() == ["cache/two", "kept"])
        // In a layer that is not an image's such a name is a name.
        tree.add(plain, files: [file(".wh.kept")])
        #expect(tree.files.keys.sorted() == [".wh.kept", "cache/two", "kept"])
    }

    @Test("a release is checked against keys, as a whole")
    func verification() async throws {
        try await bench.makeRelease()
        let release = try ReleaseFolder(bench.path("out"))
        let now = UTCTime(seconds: 1_800_000_000)
        try release.verify(bench.trust, at: now)
        let stranger = TrustPolicy(application: bench.application, keys: [PublisherKey.generate().publicKey])
        #expect(await failure { try release.verify(stranger, at: now) }?.code == .unknownKey)
        try FileManager.default.removeItem(atPath: bench.path("out/manifest.sig"))
        #expect(await failure { try ReleaseFolder(bench.path("out")).verify(bench.trust, at: now) }?.code == .notFound)
        #expect(await failure { _ = try ReleaseFolder(bench.root) }?.code == .notFound)
    }

    @Test("a release that has expired, or whose torrent file is missing or another, is not whole")
    func expiryAndTorrent() async throws {
        let end = UTCTime(seconds: 1_800_000_000)
        try bench.write(ContentChunkerTests.random(1 << 20, seed: 3), to: "files/large")
        var description = ReleaseDescription(manifest: bench.manifest(), files: ["files"], directory: bench.root)
        description.manifest.expires = end
        let made = try await ReleaseMaker(runner: bench.runner).make(description: description, into: bench.path("out"))
        #expect(made.swarm != nil)
        try ReleaseSigner.signRelease(in: bench.path("out"), with: bench.key)
        func verify(_ now: UTCTime) throws {
            try ReleaseFolder(bench.path("out")).verify(bench.trust, at: now)
        }
        let before = UTCTime(seconds: 1_799_999_999)
        try verify(before)
        #expect(await failure { try verify(end) }?.code == .expired)
        var torrent = try bench.read("out/release.torrent")
        torrent[torrent.count / 2] ^= 1
        try bench.write(torrent, to: "out/release.torrent")
        #expect(await failure { try verify(before) }?.code == .wrongDigest)
        // Its publisher signs it, so it is the one that the manifest names.
        var manifest = made
        manifest.swarm = ContentHasher.digest(of: torrent)
        try bench.write(manifest.canonicalBytes(), to: "out/manifest.json")
        try ReleaseSigner.signRelease(in: bench.path("out"), with: bench.key)
        #expect(await failure { try verify(before) }?.code == .malformed)
        try FileManager.default.removeItem(atPath: bench.path("out/release.torrent"))
        #expect(await failure { try verify(before) }?.code == .notFound)
    }

    @Test("keys in a directory are found by what is in them")
    func keys() throws {
        try bench.key.write(to: bench.path("publisher"))
        try bench.write("-----BEGIN", to: "short")
        try bench.write("something", to: "other/file")
        #expect(try PublisherKey.names(in: bench.root) == ["publisher"])
    }
}
