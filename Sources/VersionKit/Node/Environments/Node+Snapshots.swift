import Logging
import VersionKitControl
import VersionKitIsolation
import VersionKitJournal
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases
import VersionKitUpgrade

/// Versions as they were at one moment, and the way back to them (R3, R17; docs/snapshots.md).
extension Node {
    /// An operator wants a version kept as it is now.
    func takeSnapshot(
        of id: ApplicationID, _ version: Version?, _ level: SnapshotLevel
    ) async throws -> String {
        guard let application = applications[id] else { throw NodeError("\(id) is not managed on this node") }
        guard let version = version ?? application.newestServing else { throw NodeError("no version of \(id) serves") }
        let (record, report) = try await keep(id, version, level, .byOperator)
        return "snapshot \(record.id): \(record.bytes) bytes; version \(version) stood still for \(report.paused)"
    }

    /// Takes a snapshot, if the node's policy wants one at this occasion. One that cannot be taken does not hold an upgrade
    /// up: the older version is there until the newer one serves.
    func keepIfWanted(_ id: ApplicationID, _ version: Version, _ reason: SnapshotRecord.Reason) async {
        let policy = configuration.snapshots ?? SnapshotPolicy()
        let isWanted = reason == .beforeUpgrade ? policy.beforeUpgrade : policy.beforeRetirement
        guard isWanted == true, applications[id]?.running[version] != nil else { return }
        do {
            let (record, _) = try await keep(id, version, policy.level ?? .files, reason)
            note("version \(version) of \(id) was kept as \(record.id)")
        } catch {
            note("version \(version) of \(id) could not be kept: \(error)", level: .error)
        }
    }

    private func keep(
        _ id: ApplicationID, _ version: Version, _ level: SnapshotLevel, _ reason: SnapshotRecord.Reason
    ) async throws -> (SnapshotRecord, SnapshotReport) {
        guard let environment = applications[id]?.running[version]?.environment else {
            throw NodeError("version \(version) of \(id) does not run here")
        }
        applications[id]?.paused.insert(version)
        defer { applications[id]?.paused.remove(version) }
        return try await catalogue(id, version, level, reason) { directory in
            try await environment.snapshot(level, into: directory)
        }
    }

    /// Keeps a version that nobody uses any more, as it is at its end. Where its files can be kept when it has stopped, they
    /// have all that it knew; where they cannot, it stands still meanwhile.
    func keepAtItsEnd(_ id: ApplicationID, _ version: Version) async throws -> SnapshotRecord {
        let level = configuration.snapshots?.level ?? .files
        let backend = try backend(id, version)
        guard level == .files, backend.keepsStopped else {
            return try await keep(id, version, level, .beforeRetirement).0
        }
        await halt(id, version, teardown: .standard)
        return try await catalogue(id, version, .files, .beforeRetirement) { directory in
            try await backend.keep(environmentName(id, version), into: directory)
        }.0
    }

    /// Adds a snapshot to those that there are.
    ///
    /// - Parameter fill: fills the directory that it is given, which does not exist yet.
    func catalogue(
        _ id: ApplicationID, _ version: Version, _ level: SnapshotLevel, _ reason: SnapshotRecord.Reason,
        _ fill: (String) async throws -> SnapshotReport
    ) async throws -> (SnapshotRecord, SnapshotReport) {
        let kind = try backend(id, version).kind
        var random = SystemRandomNumberGenerator()
        let newest = try await listSnapshots().map(\.time).max() ?? 0
        // The last one taken counts as the newest, whatever the clock was set to.
        let time = max(now / 1000, newest + 1)
        let name = SnapshotID(id, version, time: time, using: &random)
        // None is too old by a clock that was set forward meanwhile.
        let present = min(time, self.time.steady / 1000)
        let retention = (configuration.snapshots ?? SnapshotPolicy()).retention
        let directory = try await onDisk { try $0.begin(name) }
        do {
            CrashPoint.reach("a snapshot of version \(version)")
            let report = try await fill(directory + Self.contents)
            let record = SnapshotRecord(
                id: name, application: id, version: version, level: level, kind: kind, time: time, bytes: report.bytes,
                reason: reason)
            CrashPoint.reach("keeping \(name)")
            let finished = try await onDisk { snapshots in
                let finished = try snapshots.finish(record)
                try snapshots.expire(retention, at: present)
                return finished
            }
            await endLogsWithoutSnapshot()
            return (finished, report)
        } catch {
            try? await onDisk { try $0.abandon(name) }
            throw error
        }
    }

    /// Where a snapshot's files are that an environment is restored from.
    func contents(of snapshot: SnapshotID) throws -> String { try snapshots.directory(of: snapshot) + Self.contents }

    /// The directory of a snapshot that its environment's backend fills.
    private static let contents = "/environment"

    func removeSnapshot(_ name: String) async throws -> String {
        guard let id = SnapshotID(rawValue: name) else { throw NodeError("'\(name)' is no snapshot's name") }
        for application in applications.values {
            guard let record = application.records.values.first(where: { $0.restore?.snapshot == name }) else {
                continue
            }
            throw NodeError(
                "version \(record.version) of \(application.id) is being put back to it; remove it when that is done")
        }
        try await onDisk { try $0.remove(id) }
        await endLogsWithoutSnapshot()
        return "snapshot \(id) is removed"
    }

    /// All snapshots, the oldest first.
    func listSnapshots() async throws -> [SnapshotRecord] { try await onDisk { try $0.list().records } }

    /// The catalogue's calls block: they run on a thread of their own.
    private func onDisk<Value: Sendable>(
        _ body: @escaping @Sendable (SnapshotCatalogue) throws -> Value
    ) async throws -> Value {
        let snapshots = snapshots
        return try await tryOnThread("snapshots") { try body(snapshots) }
    }

    // MARK: Going back

    /// An operator wants a version back as it was. What was written since is replayed to it, if the release that serves
    /// asked for that, and is lost otherwise.
    ///
    /// The version is started beside the one that serves; then clients and peers change over at once, and that one is
    /// taken away. If the version runs itself it is stopped meanwhile.
    ///
    /// - Parameters:
    ///   - isClean: whether it gets none of its state, but only what it was delivered with (R19).
    ///   - isReplayed: whether what was written since is replayed, where a release asks for it.
    ///   - reason: why, if it is not the operator who wants it.
    func restore(
        _ name: String, of id: ApplicationID, isClean: Bool = false, isReplayed: Bool = true, reason: String? = nil
    ) async throws -> String {
        guard let application = applications[id] else { throw NodeError("\(id) is not managed on this node") }
        guard let record = try await listSnapshots().first(where: { $0.id.rawValue == name && $0.application == id })
        else { throw NodeError("there is no snapshot '\(name)' of \(id): see versionctl snapshot list") }
        if let why = application.trustKeeper.withdrawn[record.version] {
            throw NodeError("version \(record.version) of \(id) was withdrawn by its publishers: \(why)")
        }
        if isBeingPutBack(record.version, of: id) { return putBack(id, to: record, isClean) }
        guard !application.isUpgrading, application.starting.isEmpty, application.serving.count == 1,
            let current = application.serving.first, application.records[record.version] != nil
        else { throw NodeError("an upgrade of \(id) is under way; take it away first, or wait for its end") }
        guard application.running[current] != nil else {
            throw NodeError("version \(current) of \(id) is not started yet; try again when it is")
        }
        applications[id]?.isUpgrading = true
        defer { applications[id]?.isUpgrading = false }
        let isReplayed = isReplayed && !isClean ? try await mustReplay(record, of: id, by: current) : false
        if current == record.version {
            try await startOver(id, record, isClean)
            return "version \(record.version) of \(id) runs as it was in \(name)"
        }
        if isReplayed {
            try await startWithReplay(id, record)
        } else {
            try await startBeside(id, record, isClean: isClean)
        }
        await changeOver(
            id, from: current, to: record.version, reason ?? "the operator went back to \(name)")
        let state = isReplayed ? "with all that was written since \(name)" : "as it was in \(name)"
        return "version \(record.version) of \(id) serves \(state); version \(current) is taken away"
    }

    /// Starts a retired version as a snapshot has it. Nobody uses it yet.
    func startBeside(_ id: ApplicationID, _ record: SnapshotRecord, isClean: Bool) async throws {
        guard let application = applications[id] else { return }
        let used = applications.values.reduce(into: Set<Int>()) { $0.formUnion($1.usedSlots) }
        change(id, record.version) { version in
            version.slot = (0...).first { !used.contains($0) } ?? used.count
            version.isolation = record.kind
            version.restore = nil
        }
        do {
            try await layOut(id, record, isClean)
            switch isClean ? .files : record.level {
            case .files:
                try await createEnvironment(application, record.version)
                try await configureAndStart(id, record.version)
            case .memory:
                guard let application = applications[id], try await adopt(application, record.version) else {
                    throw NodeError("version \(record.version) of \(id) ended as soon as it went on")
                }
                try await goOn(id, record.version)
            }
        } catch {
            // It is retired, as it was.
            await end(id, record.version, teardown: .immediate)
            throw error
        }
        note("version \(record.version) of \(id) runs again, as it was in \(record.id)")
    }
}

extension SnapshotStatus {
    init(_ record: SnapshotRecord) {
        self.init(
            id: record.id.rawValue, application: record.application, version: record.version, level: record.level,
            kind: record.kind, time: record.time, bytes: record.bytes, reason: record.reason.rawValue)
    }
}
