import Foundation
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases

/// A directory with stores of several nodes and a publisher; removed when the test lets go of it.
final class ReleaseBench {
    let root: String
    let application: ApplicationID
    private let key = PublisherKey.generate()

    init() throws {
        application = try #require(ApplicationID(rawValue: "irislog"))
        root = FileManager.default.temporaryDirectory.appending(path: "transfer-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    var trust: TrustPolicy { TrustPolicy(application: application, keys: [key.publicKey]) }

    func store(_ name: String) throws -> ReleaseStore { try ReleaseStore(root: "\(root)/\(name)") }

    func names(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(directory)")
    }

    /// Makes a release of layers with one file each, and puts it into a store.
    @discardableResult
    func publish(
        _ version: Version, _ layers: [[UInt8]], in store: ReleaseStore, isCompressing: Bool = true
    ) async throws -> ReleaseManifest {
        var names: [String] = []
        for (index, bytes) in layers.enumerated() {
            names.append("files-\(version)-\(index)")
            let directory = "\(root)/\(names[index])"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try Data(bytes).write(to: URL(fileURLWithPath: directory + "/file"))
        }
        let manifest = ReleaseManifest(
            application: application, version: version, name: "\(version)", ports: .init(peer: [6000]), layers: [],
            start: ["/file"], healthCheck: .init(port: 6000))
        let maker = ReleaseMaker(runner: ProcessCommandRunner(), isCompressing: isCompressing)
        let output = "\(root)/release-\(version)"
        let made = try await maker.make(
            description: ReleaseDescription(manifest: manifest, files: names, directory: root), into: output)
        try ReleaseSigner.signRelease(in: output, with: key)
        try store.importRelease(from: output, trust: trust)
        return made
    }
}
