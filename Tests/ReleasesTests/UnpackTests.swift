import Foundation
import Testing
import VersionKitModel
import VersionKitReleases

@Suite("Unpacking")
struct UnpackTests {
    /// Puts an archive into the store as a layer, as if a publisher had signed it.
    private func layer(_ tar: [UInt8], in store: ReleaseStore, _ bench: Workbench) throws -> ReleaseManifest.Layer {
        try bench.write(tar, to: "layer.tar")
        let digest = try #require(Digest(hex: try sha256(bench.path("layer.tar"))))
        let layer = ReleaseManifest.Layer(digest: digest, size: UInt64(tar.count))
        try store.addLayer(layer, fromFile: bench.path("layer.tar"))
        return layer
    }

    private func sha256(_ path: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["sha256sum", path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: output.prefix(64), as: UTF8.self)
    }

    @Test("a layer is unpacked once, with the publisher's modes, and its programs are found")
    func unpacking() async throws {
        let bench = try Workbench()
        try bench.write("#!/bin/sh\n", to: "files-1/bin/irislogd")
        chmod(bench.path("files-1/bin/irislogd"), 0o777)
        let made = try await bench.makeRelease()
        let store = try bench.store()
        try store.importRelease(from: bench.path("out"), trust: bench.trust)
        let missing = await failure { _ = try store.file("/bin/irislogd", of: made) }
        #expect(missing?.code == .notFound)

        let directories = try await store.unpack(made, runner: bench.runner)
        let again = try await store.unpack(made, runner: bench.runner)
        #expect(directories == again)
        #expect(try bench.names("store/incoming").isEmpty)
        let program = try store.file("/bin/irislogd", of: made)
        #expect(program == directories[0] + "/bin/irislogd")
        #expect(
            try FileManager.default.attributesOfItem(atPath: program)[.posixPermissions] as? Int
                == FileManager.default.attributesOfItem(atPath: bench.path("files-1/bin/irislogd"))[.posixPermissions]
                as? Int)
        #expect(try bench.read("store/unpacked/\(made.layers[0].digest.hex)/etc/irislog.conf").count == 12)
    }

    @Test("several who unpack the same layer at once all get it")
    func concurrently() async throws {
        let bench = try Workbench()
        let made = try await bench.makeRelease()
        let store = try bench.store()
        try store.importRelease(from: bench.path("out"), trust: bench.trust)
        let layer = made.layers[0]
        let runner = bench.runner
        let paths = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<4 { group.addTask { try await store.unpack(layer, runner: runner) } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(paths.count == 1)
        #expect(try bench.names("store/incoming").isEmpty)
    }

    @Test("a layer that would write outside is refused before tar runs", arguments: ["../evil", "/tmp/evil-absolute"])
    func traversal(_ name: String) async throws {
        struct Forbidden: CommandRunner {
            func run(_ program: String, _ arguments: [String], input: Int32?) async throws -> CommandResult {
                Issue.record("tar was run")
                return CommandResult(exitCode: 0)
            }
        }
        let bench = try Workbench()
        let store = try bench.store()
        var tar = TarBuilder()
        tar.add(name, content: [1])
        let layer = try layer(tar.finished, in: store, bench)
        let error = try #require(await failure { _ = try await store.unpack(layer, runner: Forbidden()) })
        #expect(error.code == .unsafeLayer)
        #expect(error.side == .publisher)
        #expect(try bench.names("store/unpacked").isEmpty)
        #expect(try bench.names("store/incoming").isEmpty)
    }

    /// Goal: know what stands behind our own check. Method: GNU tar alone, with names that lead outside.
    @Test("GNU tar by itself keeps inside too, but unpacks the half of a forged archive")
    func tarAlone() async throws {
        let bench = try Workbench()
        var tar = TarBuilder()
        tar.add("../evil", content: [1])
        tar.add("/absolute", content: [2])
        tar.add("harmless", content: [3])
        try bench.write(tar.finished, to: "evil.tar")
        try bench.write([], to: "inside/marker")
        let result = try await bench.runner.run(
            "tar", ["--extract", "--file=\(bench.path("evil.tar"))", "--directory=\(bench.path("inside"))"])
        #expect(result.exitCode == 2)
        #expect(result.errorOutput.contains("Member name contains '..'"))
        #expect(result.errorOutput.contains("Removing leading `/'"))
        #expect(!bench.exists("evil"))
        #expect(try bench.names("inside") == ["absolute", "harmless", "marker"])
    }

    @Test("a layer that rotted on the disk is noticed before it is used")
    func rot() async throws {
        let bench = try Workbench()
        let made = try await bench.makeRelease()
        let store = try bench.store()
        try store.importRelease(from: bench.path("out"), trust: bench.trust)
        let file = "store/layers/\(made.layers[0].digest.hex)"
        var bytes = try bench.read(file)
        bytes[bytes.count / 2] ^= 1
        try bench.write(bytes, to: file)
        let error = await failure { _ = try await store.unpack(made, runner: bench.runner) }
        #expect(error?.code == .wrongDigest)
        #expect(error?.side == .node)
    }

    @Test("what was unpacked before the machine was started anew is unpacked anew")
    func restartedMachine() async throws {
        let bench = try Workbench()
        let made = try await bench.makeRelease()
        let file = "store/unpacked/\(made.layers[0].digest.hex)/etc/irislog.conf"
        let whole: [UInt8]
        do {
            let store = try ReleaseStore(root: bench.path("store"), boot: "first")
            try store.importRelease(from: bench.path("out"), trust: bench.trust)
            _ = try await store.unpack(made, runner: bench.runner)
            whole = try bench.read(file)
            // As a power cut leaves it.
            try bench.write([], to: file)
        }
        do {
            let same = try ReleaseStore(root: bench.path("store"), boot: "first")
            _ = try await same.unpack(made, runner: bench.runner)
            #expect(try bench.read(file).isEmpty)
        }
        let next = try ReleaseStore(root: bench.path("store"), boot: "second")
        #expect(try bench.names("store/unpacked").isEmpty)
        _ = try await next.unpack(made, runner: bench.runner)
        #expect(try bench.read(file) == whole)
    }

    @Test("what an older versiond unpacked, which said nothing of boots, stays: versions run on it")
    func olderStore() async throws {
        let bench = try Workbench()
        let made = try await bench.makeRelease()
        do {
            let store = try bench.store()
            try store.importRelease(from: bench.path("out"), trust: bench.trust)
            _ = try await store.unpack(made, runner: bench.runner)
        }
        try FileManager.default.removeItem(atPath: bench.path("store/boot"))
        _ = try ReleaseStore(root: bench.path("store"), boot: "another")
        #expect(try bench.names("store/unpacked") == [made.layers[0].digest.hex])
    }

    @Test("a failing tar leaves nothing behind")
    func failingTar() async throws {
        struct Failing: CommandRunner {
            func run(_ program: String, _ arguments: [String], input: Int32?) async throws -> CommandResult {
                CommandResult(exitCode: 2, errorOutput: "tar: no space")
            }
        }
        let bench = try Workbench()
        let made = try await bench.makeRelease()
        let store = try bench.store()
        try store.importRelease(from: bench.path("out"), trust: bench.trust)
        let error = await failure { _ = try await store.unpack(made, runner: Failing()) }
        #expect(error?.code == .commandFailed)
        #expect(error?.message.contains("no space") == true)
        #expect(try bench.names("store/incoming").isEmpty)
    }

    @Test("a program that is a link out of its layer is not run")
    func linkOutside() async throws {
        let bench = try Workbench()
        let store = try bench.store()
        var tar = TarBuilder()
        tar.add("proxy", kind: "2", link: "/bin/sh")
        let layer = try layer(tar.finished, in: store, bench)
        let manifest = bench.manifest(layers: [layer])
        _ = try await store.unpack(manifest, runner: bench.runner)
        #expect(await failure { _ = try store.file("/proxy", of: manifest) }?.code == .unsafeLayer)
    }
}
