import VersionKitIsolation
import VersionKitJournal
import VersionKitModel

/// A version that serves is put back to a snapshot: its own files go, and the snapshot's come in their place.
///
/// Between the two it has none, or not all of them. So the journal says what it is put back to before the first one goes and
/// until the last one is there, and whoever starts the version does that first.
extension Node {
    /// Puts the version that serves back, and starts it again.
    func startOver(_ id: ApplicationID, _ snapshot: SnapshotRecord, _ isClean: Bool) async throws {
        applications[id]?.starting.insert(snapshot.version)
        change(id, snapshot.version) { version in
            version.restore = RestoreRecord(snapshot: snapshot.id.rawValue, isClean: isClean)
            version.isolation = snapshot.kind
        }
        CrashPoint.reach("stopping version \(snapshot.version) for \(snapshot.id)")
        let running = applications[id]?.running.removeValue(forKey: snapshot.version)
        await running?.environment.stop(.standard)
        running?.registrar.cancel()
        do {
            try await finishPuttingBack(id, snapshot.version)
        } catch {
            // The operator hears of it now, and it goes on: without its files the version must not serve.
            Task { await self.restart(id, snapshot.version) }
            throw NodeError(
                "version \(snapshot.version) of \(id) could not be put back, which is tried again: \(error)")
        }
        await restart(id, snapshot.version)
    }

    /// Whether a version was to be put back before, and that does not work.
    func isBeingPutBack(_ version: Version, of id: ApplicationID) -> Bool {
        guard let application = applications[id] else { return false }
        return application.records[version]?.restore != nil && application.starting == [version]
            && !application.isUpgrading
    }

    /// The same version is to be put back to another snapshot, or to the same one once more.
    func putBack(_ id: ApplicationID, to snapshot: SnapshotRecord, _ isClean: Bool) -> String {
        change(id, snapshot.version) { version in
            version.restore = RestoreRecord(snapshot: snapshot.id.rawValue, isClean: isClean)
            version.isolation = snapshot.kind
        }
        return "version \(snapshot.version) of \(id) runs as it was in \(snapshot.id) as soon as it is put back"
    }

    /// Does what the journal says of a version that is being put back, from the beginning; nothing if it says nothing.
    ///
    /// - Throws: whatever makes it impossible. Then the version has no files to be started with.
    func finishPuttingBack(_ id: ApplicationID, _ version: Version) async throws {
        // Meanwhile an operator may want another snapshot.
        while let wanted = applications[id]?.records[version]?.restore {
            do {
                guard var snapshot = try await listSnapshots().first(where: { $0.id.rawValue == wanted.snapshot })
                else {
                    throw NodeError("the snapshot \(wanted.snapshot) is gone: see versionctl snapshot list")
                }
                if wanted.isWithoutMemory { snapshot.level = .files }
                try await layOut(id, snapshot, wanted.isClean)
            } catch {
                applications[id]?.putBackTrouble[version] = "\(error)"
                // The next time with its files alone, rather than never.
                change(id, version) { record in
                    if record.restore == wanted { record.restore?.isWithoutMemory = true }
                }
                throw error
            }
            applications[id]?.putBackTrouble[version] = nil
            CrashPoint.reach("version \(version) is put back")
            change(id, version) { record in if record.restore == wanted { record.restore = nil } }
        }
    }

    /// Puts a version's environment back, in which it runs already if its memory was kept.
    func layOut(_ id: ApplicationID, _ record: SnapshotRecord, _ isClean: Bool) async throws {
        guard let application = applications[id] else { return }
        CrashPoint.reach("laying out \(record.id)")
        let (specification, _) = try await specification(application, record.version)
        if isClean { return try await backends.backend(record.kind).prepare(specification, keepsData: false) }
        let directory = try contents(of: record.id)
        let backend = try backends.backend(record.kind)
        switch record.level {
        case .files: try await backend.restore(specification, from: directory)
        // It runs from here on, and is adopted as one that a versiond before has left.
        case .memory: _ = try await backend.revive(specification, from: directory)
        }
    }
}
