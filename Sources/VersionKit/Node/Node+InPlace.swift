import Logging
import VersionKitIsolation
import VersionKitJournal
import VersionKitModel
import VersionKitUpgrade

/// Upgrades of applications that need no two versions at a time (R20): the older one is stopped, the newer one gets its
/// files. The older one's stay as they are until the newer one serves: until then the way back is to start it again.
extension Node {
    /// Stops the old version, keeps its files, and lays the new one out with them.
    func changePlaces(_ id: ApplicationID, from old: Version, to new: Version) async throws {
        guard let application = applications[id] else { return }
        // Everything that takes long and does not need the old one's files comes before.
        var (specification, manifest) = try await specification(application, new)
        let backend = try backend(id, old)
        guard manifest.isolation?.contains(backend.kind) ?? true else {
            throw NodeError(
                "version \(old) of \(id) runs in an environment of the kind \(backend.kind), which the release does not "
                    + "allow: it cannot take its place")
        }
        change(id, new) { $0.isolation = backend.kind }
        change(id, old) { $0.isStopped = true }
        note("version \(old) of \(id) is stopped: version \(new) takes its place")
        await halt(id, old, teardown: .standard)
        CrashPoint.reach("a checkpoint of version \(old)")
        let name = environmentName(id, old)
        let (checkpoint, _) = try await catalogue(id, old, .files, .beforeUpgrade) { directory in
            try await backend.keep(name, into: directory)
        }
        change(id, new) { $0.checkpoint = checkpoint.id.rawValue }
        note("version \(old) of \(id) was kept as \(checkpoint.id)")
        if manifest.method == .package {
            specification.carriedPaths = [manifest.configurationPath, manifest.dataPath].compactMap { $0 }
        }
        try await backend.restore(specification, from: contents(of: checkpoint.id))
    }

    /// Starts a version again that stood still for another one that failed.
    func startAgainIfStopped(_ id: ApplicationID, _ version: Version) async {
        guard applications[id]?.records[version]?.isStopped == true else { return }
        change(id, version) { $0.isStopped = nil }
        await restart(id, version)
    }

    /// The checkpoint to which an operator goes back who takes a version away that is alone: its predecessor's.
    func checkpoint(below version: Version, of id: ApplicationID) async throws -> String? {
        guard let record = applications[id]?.records[version], record.pipeline.state == .complete,
            let checkpoint = record.checkpoint
        else { return nil }
        guard try await listSnapshots().contains(where: { $0.id.rawValue == checkpoint }) else {
            throw NodeError(
                "version \(version) of \(id) is the only one that runs, and the checkpoint \(checkpoint) is gone: see "
                    + "versionctl snapshot list")
        }
        return checkpoint
    }
}

extension ManagedApplication {
    /// Whether a version was stopped for one that serves by now.
    func isReplaced(_ record: VersionRecord) -> Bool {
        record.isStopped == true && serving.contains { $0 > record.version }
    }
}
