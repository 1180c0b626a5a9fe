import Logging
import VersionKitIsolation
import VersionKitJournal
import VersionKitModel
import VersionKitProxy
import VersionKitReleases
import VersionKitTransport
import VersionKitUpgrade

/// What clients write after a version retired is logged for it, and replayed when it is gone back to (R19).
///
/// - Note: docs/pipeline.md, "Back".
extension Node {
    /// How often a version is put back and replayed to, when a replay is cut short.
    private static let replayAttemptsMax = 3
    /// With so few writes left those that come are held until all are replayed.
    private static let heldWritesMax: UInt64 = 64
    /// How long a replay may get no further; and while clients wait.
    private static let replaySilence = (logged: Duration.seconds(60), held: Duration.seconds(10))

    // MARK: Retirement

    /// Keeps a version that is about to retire, with a log that goes on from there, if the release that replaces it asks for
    /// that.
    ///
    /// - Returns: whether it was kept; `false`: nobody asked for it.
    func keepForReplay(_ id: ApplicationID, _ version: Version, replacedBy successor: Version) async throws -> Bool {
        guard applications[id]?.running[successor]?.manifest.retirement.replay == true, successor > version,
            applications[id]?.records[successor]?.pipeline.isInPlace == false, objection(to: version, of: id) == nil
        else { return false }
        // When the journal says that it retired, it was kept.
        if let record = applications[id]?.records[version], record.isRetired { return record.isLogged }
        guard applications[id]?.proxy != nil else {
            change(id, version) {
                $0.replay = ReplayRecord(failure: "version \(successor) has no proxy that could log")
            }
            return false
        }
        if applications[id]?.records[version]?.replay == nil {
            do {
                // Before the journal says so: a log that is not there is of no use.
                try ReplayLogs.begin(version, in: proxyState(id))
                change(id, version) { $0.replay = ReplayRecord() }
            } catch {
                change(id, version) { $0.replay = ReplayRecord(failure: "\(error)") }
            }
        }
        // One that could not be kept is not tried again.
        guard applications[id]?.records[version]?.isLogged == true else { return false }
        // When this returns, what was sent to it is answered, and everything else goes to its log.
        try await updateProxy(id)
        CrashPoint.reach("the log for version \(version)")
        do {
            let snapshot = try await keepAtItsEnd(id, version)
            change(id, version) { $0.replay?.snapshot = snapshot.id.rawValue }
            note(
                "version \(version) of \(id) was kept as \(snapshot.id); what clients write from here on is logged for it"
            )
        } catch {
            endLog(id, version, "it could not be kept: \(error)")
        }
        await endLogsWithoutSnapshot()
        return true
    }

    /// A log is of no use any more; its files go with the next list of versions.
    private func endLog(_ id: ApplicationID, _ version: Version, _ reason: String) {
        guard applications[id]?.records[version]?.isLogged == true else { return }
        note("what clients write is not logged for version \(version) of \(id) any more: \(reason)", level: .error)
        change(id, version) { $0.replay = ReplayRecord(failure: reason) }
    }

    /// A proxy could not go on with a log.
    func logFailed(_ id: ApplicationID, _ version: Version, _ reason: String) async {
        endLog(id, version, reason)
        // Otherwise the stage that is under way does it.
        guard applications[id]?.isUpgrading == false else { return }
        try? await updateProxy(id)
    }

    /// Logs are kept for one version at a time: the one that retired last.
    func endLogs(of id: ApplicationID, butOf version: Version) {
        for other in (applications[id]?.records ?? [:]).values where other.isLogged && other.version != version {
            endLog(id, other.version, "version \(version) retired after it")
        }
    }

    /// What would be replayed to a snapshot that is gone.
    func endLogsWithoutSnapshot() async {
        guard applications.values.contains(where: { $0.records.values.contains(where: \.isLogged) }),
            let kept = try? await listSnapshots().map(\.id.rawValue)
        else { return }
        for (id, application) in applications {
            for record in application.records.values where record.isLogged {
                guard let snapshot = record.replay?.snapshot, !kept.contains(snapshot) else { continue }
                endLog(id, record.version, "the snapshot \(snapshot) is gone")
                try? await updateProxy(id)
            }
        }
    }

    // MARK: Back

    /// Why what clients wrote since a snapshot cannot be replayed to its version.
    func replayObstacle(_ snapshot: SnapshotRecord, of id: ApplicationID) async -> String? {
        guard let application = applications[id], let record = application.records[snapshot.version] else {
            return "its version is not known"
        }
        guard record.isRetired else { return "version \(snapshot.version) did not retire" }
        guard let replay = record.replay else { return "nothing was logged for version \(snapshot.version)" }
        if let failure = replay.failure { return failure }
        guard let base = replay.snapshot else { return "version \(snapshot.version) was not kept when it retired" }
        guard base == snapshot.id.rawValue else { return "what was logged goes on from \(base)" }
        return await application.proxy?.counters.writes.unreplayable[snapshot.version]
    }

    /// Whether what clients wrote is to be replayed to a snapshot's version.
    ///
    /// - Throws: ``NodeError`` if it is, and cannot be.
    func mustReplay(_ snapshot: SnapshotRecord, of id: ApplicationID, by current: Version) async throws -> Bool {
        guard try store.release(id, current).manifest.retirement.replay == true else { return false }
        guard let obstacle = await replayObstacle(snapshot, of: id) else { return true }
        throw NodeError(
            "what clients wrote since \(snapshot.id) cannot be replayed: \(obstacle). With --no-replay it is lost")
    }

    /// Goes back because the publishers want it: with what was written since, if that can be had.
    func goBack(_ id: ApplicationID, to snapshot: SnapshotRecord, _ reason: String) async throws {
        let name = snapshot.id.rawValue
        if await replayObstacle(snapshot, of: id) == nil {
            do {
                return _ = try await restore(name, of: id, reason: reason)
            } catch {
                note("\(id) is gone back to \(name) without what was written since: \(error)", level: .error)
            }
        }
        _ = try await restore(name, of: id, isReplayed: false, reason: reason)
    }

    /// Puts a version back and brings it what was logged for it, from the first write, as often as it takes. When this
    /// returns it has everything, and clients' writes wait for ``changeOver(_:from:to:_:)``.
    func startWithReplay(_ id: ApplicationID, _ snapshot: SnapshotRecord) async throws {
        for attempt in 1... {
            do {
                try await startBeside(id, snapshot, isClean: false)
                return try await replay(id, snapshot.version)
            } catch {
                applications[id]?.replaying = nil
                // Whatever happens, clients' writes go on.
                try? await updateProxy(id)
                await end(id, snapshot.version, teardown: .immediate)
                guard attempt < Self.replayAttemptsMax, await replayObstacle(snapshot, of: id) == nil, !isEnding else {
                    throw NodeError("version \(snapshot.version) could not be brought what clients wrote: \(error)")
                }
                note("version \(snapshot.version) of \(id) is put back once more: \(error)", level: .error)
            }
        }
    }

    private func replay(_ id: ApplicationID, _ version: Version) async throws {
        guard let proxy = applications[id]?.proxy else { throw NodeError("there is no proxy that could replay") }
        CrashPoint.reach("replaying to version \(version)")
        try await list(id, version, as: .replaying)
        try await proxy.wait(for: version, silence: Self.replaySilence.logged) {
            $0.lag[version, default: 0] <= Self.heldWritesMax
        }
        CrashPoint.reach("holding writes for version \(version)")
        try await list(id, version, as: .settling)
        try await proxy.wait(for: version, silence: Self.replaySilence.held) { $0.settled[version] != nil }
    }

    private func list(_ id: ApplicationID, _ version: Version, as role: VersionList.Role) async throws {
        applications[id]?.replaying = (version, role)
        try await updateProxy(id)
    }

    /// A version that runs out of a snapshot serves, and the one that did is to go: both or neither, whatever happens.
    func changeOver(_ id: ApplicationID, from current: Version, to version: Version, _ reason: String) async {
        applications[id]?.replaying = nil
        change(
            id,
            [
                version: { record in
                    (record.isRetired, record.isDraining, record.replay, record.departure) = (false, false, nil, nil)
                    record.pipeline.resumeAlone()
                },
                current: { $0.pipeline.withdraw(reason: reason) },
            ])
        // What was asked of it is answered before it leaves.
        applications[id]?.leaving = current
        do {
            try await updateProxy(id)
        } catch {
            note("the proxy of \(id) could not be told of its versions: \(error)", level: .error)
        }
        applications[id]?.leaving = nil
        await takeAway(id, current)
        change(id, current) { _ = $0.pipeline.removed() }
    }
}

extension VersionRecord {
    /// Whether what clients write is logged for it.
    var isLogged: Bool { replay.map { $0.failure == nil } ?? false }
}
