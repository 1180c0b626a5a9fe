import Foundation
import Testing
import VersionKitModel
import VersionKitReleases

@Suite("ReleaseMaker")
struct ReleaseMakerTests {
    @Test("the same files give the same bytes, whatever their times, their order and their links")
    func deterministic() async throws {
        let first = try Workbench()
        let second = try Workbench()
        let made = try await first.makeRelease()
        // The other way round, at another time, and with a hard link where the first has two files.
        try second.write("sensors = 3\n", to: "files-1/etc/irislog.conf")
        try second.write("#!/bin/sh\necho version 1\n", to: "other")
        try FileManager.default.createDirectory(atPath: second.path("files-1/bin"), withIntermediateDirectories: true)
        try FileManager.default.linkItem(atPath: second.path("other"), toPath: second.path("files-1/bin/irislogd"))
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: second.path("files-1/etc"))
        #expect(try await second.makeRelease() == made)
        #expect(try first.read("out/manifest.json") == second.read("out/manifest.json"))
        let layer = "out/layers/\(made.layers[0].digest.hex).tar.zst"
        #expect(try first.read(layer) == second.read(layer))
        #expect(try UInt64(first.read(layer).count) == made.layers[0].size)
    }

    @Test("making a release again keeps the signature if nothing changed, and removes it if something did")
    func signatureOfChanges() async throws {
        let bench = try Workbench()
        try await bench.makeRelease()
        let maker = ReleaseMaker(runner: bench.runner)
        let description = ReleaseDescription(
            manifest: bench.manifest(), files: ["files-1"], directory: bench.root)
        _ = try await maker.make(description: description, into: bench.path("out"))
        #expect(bench.exists("out/manifest.sig"))
        try bench.write("sensors = 4\n", to: "files-1/etc/irislog.conf")
        _ = try await maker.make(description: description, into: bench.path("out"))
        #expect(!bench.exists("out/manifest.sig"))
        #expect(try bench.names("out") == ["layers", "manifest.json"])
    }

    @Test("a tar archive made by other means can be a layer, after the same checks")
    func readyMadeLayer() async throws {
        let bench = try Workbench()
        var tar = TarBuilder()
        tar.add("bin/irislogd", content: [1])
        try bench.write(tar.finished, to: "ready.tar")
        let maker = ReleaseMaker(runner: bench.runner)
        let good = ReleaseDescription(manifest: bench.manifest(), files: ["ready.tar"], directory: bench.root)
        #expect(try await maker.make(description: good, into: bench.path("out")).layers[0].archiveSize == 2048)
        tar.add("../evil")
        try bench.write(tar.finished, to: "evil.tar")
        let evil = ReleaseDescription(manifest: bench.manifest(), files: ["evil.tar"], directory: bench.root)
        let error = await failure { _ = try await maker.make(description: evil, into: bench.path("out")) }
        #expect(error?.code == .unsafeLayer)
    }

    @Test("mistakes of the description are found before anything is written")
    func mistakes() async throws {
        let bench = try Workbench()
        try bench.write("x", to: "files/x")
        let maker = ReleaseMaker(runner: bench.runner)
        func error(_ files: [String], output: String, start: String = "/x") async -> ReleaseError? {
            var manifest = bench.manifest()
            manifest.start = [start]
            let description = ReleaseDescription(manifest: manifest, files: files, directory: bench.root)
            return await failure { _ = try await maker.make(description: description, into: bench.path(output)) }
        }
        #expect(await error(["nothing"], output: "out")?.message.contains("nothing") == true)
        #expect(await error(["files"], output: "files/out")?.message.contains("would hold itself") == true)
        let relative = await error(["files"], output: "out", start: "x")
        #expect(relative?.code == .badDescription)
        #expect(relative?.message.contains("start[0]") == true)
        #expect(!bench.exists("out/manifest.json"))
    }

    @Test("a tar that fails or is missing is reported in its own words")
    func failingTar() async throws {
        struct Broken: CommandRunner {
            var result: CommandResult?
            func run(_ program: String, _ arguments: [String], input: Int32?) async throws -> CommandResult {
                guard let result else { throw CancellationError() }
                return result
            }
        }
        let bench = try Workbench()
        try bench.write("x", to: "files/x")
        let description = ReleaseDescription(manifest: bench.manifest(), files: ["files"], directory: bench.root)
        for result in [nil, CommandResult(exitCode: 2, errorOutput: "tar: no")] {
            let maker = ReleaseMaker(runner: Broken(result: result))
            let error = await failure { _ = try await maker.make(description: description, into: bench.path("out")) }
            #expect(error?.code == .commandFailed)
            #expect(try bench.names("out") == ["layers"])
        }
    }
}
