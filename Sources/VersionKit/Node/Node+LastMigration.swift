import Logging
import VersionKitJournal
import VersionKitModel
import VersionKitReleases
import VersionKitUpgrade

/// A run of a migrator that is under way beside the service, or that ended and was not looked at yet.
struct LastMigrationRun {
    /// When it was begun, by the node's clock that only goes forward.
    let began: Duration
    let task: Task<Void, Never>
    /// What came of it.
    var result: Result<Void, any Error>?
}

/// What came to an old version alone after state had been copied: the release's migrator is run once more before it goes.
///
/// A peer that migrates later has clients whose writes go to old versions alone, this node's among them, until the new one
/// serves there. ``Retirement`` says when that is over. An application whose proxy copies keys needs none of this: its proxy
/// compares all of them when the old version is drained.
extension Node {
    /// Whether nothing is left in the old version that a migrator has to copy before it goes.
    func hasCopied(_ id: ApplicationID, _ old: Version, to new: Version) -> Bool {
        guard let application = applications[id], let record = application.records[new] else { return true }
        guard needsLastMigration(id, old, new) else { return true }
        return record.lastMigration?.milliseconds != nil
    }

    /// Whether there is a migrator that has to run once more before the old version goes.
    func needsLastMigration(_ id: ApplicationID, _ old: Version, _ new: Version) -> Bool {
        guard let application = applications[id], application.records[old]?.isGone == false,
            application.records[new]?.pipeline.isInPlace == false
        else { return false }
        // Of two releases only the newer one knows both. One that is just started again has no environment.
        let knowing = max(old, new)
        let manifest = application.running[knowing]?.manifest ?? (try? store.release(id, knowing))?.manifest
        return manifest?.migrator != nil
    }

    /// Begins it, unless it is under way.
    func copyOnceMore(_ id: ApplicationID, from old: Version, to new: Version) {
        guard applications[id]?.lastMigration == nil else { return }
        note("what version \(old) of \(id) has is copied to version \(new) once more, before it goes")
        let task = Task {
            let result: Result<Void, any Error>
            do {
                let manifest = try running(id, max(old, new)).manifest
                result = .success(try await runMigrator(.last, of: manifest, id, from: old, to: new))
            } catch {
                result = .failure(error)
            }
            applications[id]?.lastMigration?.result = result
        }
        applications[id]?.lastMigration = LastMigrationRun(began: elapsed, task: task)
        // Another versiond could not go on with it.
        applications[id]?.isWaiting = false
    }

    /// Tells the state machine what came of it, if it is over.
    func hearOfLastMigration(_ id: ApplicationID, from old: Version, to new: Version, _ retirement: inout Retirement) {
        guard let run = applications[id]?.lastMigration, let result = run.result else { return }
        applications[id]?.lastMigration = nil
        switch result {
        case .success:
            retirement.copied(since: run.began)
            guard retirement.isCopied else { return }
            changeReport(.last, id, new) { $0.succeed(at: time.steady) }
            let copied = applications[id]?.records[new]?.lastMigration?.progress.copied ?? 0
            note(
                "what version \(old) of \(id) has was copied to version \(new) once more: \(copied) records were missing"
            )
            lookAround(id)
            tellPeers()
        case .failure(let error):
            retirement.copyFailed(at: elapsed)
            changeReport(.last, id, new) { $0.startOver(because: "\(error)") }
            note(
                "version \(old) of \(id) stays, as what it has could not be copied to version \(new) once more: \(error)",
                level: .error)
        }
    }

    /// Ends it, and comes back when it is over: a version that is going, or gone, is no end for a migrator.
    func stopLastMigration(_ id: ApplicationID) async {
        guard let run = applications[id]?.lastMigration else { return }
        run.task.cancel()
        await run.task.value
        applications[id]?.lastMigration = nil
    }

    /// What was copied is not all, as a peer came that may still write to the old version alone.
    func forgetLastMigration(_ id: ApplicationID, to new: Version) async {
        await stopLastMigration(id)
        guard let report = applications[id]?.records[new]?.lastMigration,
            report.milliseconds != nil || report.token != nil
        else { return }
        change(id, new) { $0.lastMigration = nil }
        note("what was copied to version \(new) of \(id) once more is not all: a peer runs only the version before it")
        lookAround(id)
        tellPeers()
    }
}
