import Foundation
import Testing
import VersionKitModel
import VersionKitReleases

/// A temporary directory with a publisher at work in it; removed when the test lets go of it.
final class Workbench {
    let root: String
    let key = PublisherKey.generate()
    let application: ApplicationID
    let runner = ProcessCommandRunner()

    init() throws {
        root = FileManager.default.temporaryDirectory.appending(path: "releases-\(UUID().uuidString)").path
        application = try #require(ApplicationID(rawValue: "irislog"))
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    var trust: TrustPolicy { TrustPolicy(application: application, keys: [key.publicKey]) }
    var storeRoot: String { "\(root)/store" }

    func store(limits: ReleaseLimits = .standard) throws -> ReleaseStore {
        try ReleaseStore(root: storeRoot, limits: limits)
    }

    func path(_ name: String) -> String { "\(root)/\(name)" }

    func write(_ text: String, to name: String) throws {
        try write(Array(text.utf8), to: name)
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        let url = URL(fileURLWithPath: path(name))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
    }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    func names(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path(directory)).sorted()
    }

    func manifest(version: Version = 1, layers: [ReleaseManifest.Layer] = []) -> ReleaseManifest {
        ReleaseManifest(
            application: application, version: version, name: "\(version).0", ports: .init(peer: [6000]),
            layers: layers, start: ["/bin/irislogd"], healthCheck: .init(port: 6000), proxy: ["/bin/irislogd"])
    }

    /// Makes and signs a release of two small files into the directory of this name.
    @discardableResult
    func makeRelease(version: Version = 1, into name: String = "out") async throws -> ReleaseManifest {
        try write("#!/bin/sh\necho version \(version)\n", to: "files-\(version)/bin/irislogd")
        try write("sensors = 3\n", to: "files-\(version)/etc/irislog.conf")
        let description = ReleaseDescription(
            manifest: manifest(version: version), files: ["files-\(version)"], directory: root)
        let made = try await ReleaseMaker(runner: runner).make(description: description, into: path(name))
        try ReleaseSigner.signRelease(in: path(name), with: key)
        return made
    }
}

/// The error that a piece of work ends with; a test failure if it succeeds.
func failure(
    _ body: () async throws -> Void, _ location: SourceLocation = #_sourceLocation
) async -> ReleaseError? {
    do {
        try await body()
        Issue.record("it should have failed", sourceLocation: location)
    } catch let error as ReleaseError {
        return error
    } catch {
        Issue.record("not a ReleaseError: \(error)", sourceLocation: location)
    }
    return nil
}

/// A small generator whose runs can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
