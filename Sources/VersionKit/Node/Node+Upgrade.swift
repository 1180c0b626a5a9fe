import Logging
import VersionKitControl
import VersionKitIsolation
import VersionKitJournal
import VersionKitModel
import VersionKitProxy
import VersionKitReleases
import VersionKitRouter
import VersionKitUpgrade

/// Upgrades begin, go on, and end here; ``UpgradePipeline`` says what comes next.
extension Node {
    /// How long a release that could not be fetched is left alone.
    static let downloadRetryDelay = Duration.seconds(2)

    /// How often a version may end while its state is copied.
    private static let migrationRestartsMax = 5

    // MARK: Beginning

    /// A router spoke of a version; one that is newer than all here is worth an upgrade (R14).
    func considerAdvertised(_ version: Version, of id: ApplicationID, from address: IPAddress) {
        guard let application = applications[id], !application.isUpgrading, !isEnding,
            version > application.newest ?? version, let port = routerPort(of: id)
        else { return }
        guard application.verdicts.withdrawal(of: version) == nil else { return }
        if let record = application.records[version] {
            // What was taken away here does not come back by hearsay; only a failed download is tried again.
            guard case .undone(.download, _) = record.pipeline.state,
                clock.now >= application.retryAfter[version] ?? clock.now
            else { return }
        }
        guard mayBegin(version, of: id) else { return mayHaveNews(id, address) }
        note("\(address) advertises version \(version) of \(application.id)")
        begin(version, of: application.id, origin: Endpoint(address: address, port: port))
    }

    /// An operator gave this node a release.
    func publish(from directory: String) async throws -> String {
        let application = try applicationOfRelease(in: directory)
        let trust = application.trust
        let store = store
        let current = application.newest
        let manifest = try store.importRelease(from: directory, trust: trust)
        try application.trustKeeper.checkBeginning(of: manifest.version, at: utcNow)
        try trust.acceptance(
            of: manifest, current: current, requested: .advertised, at: application.trustKeeper.now(at: utcNow))
        guard applications[application.id]?.isUpgrading == false else {
            throw NodeError("an upgrade of \(application.id) is under way; publish again when it is over")
        }
        begin(manifest.version, of: application.id, origin: nil)
        return "version \(manifest.version) of \(manifest.application) is on its way"
    }

    /// Which application a release in a directory claims to be of; whether that is true, the trust policy says later.
    private func applicationOfRelease(in directory: String) throws -> ManagedApplication {
        var refusals: [String] = []
        for application in applications.values {
            do throws(ReleaseError) {
                try verifyManifest(in: directory, application.trust)
                return application
            } catch {
                refusals.append(error.description)
            }
        }
        throw NodeError("no application managed here accepts this release: \(refusals.joined(separator: "; "))")
    }

    private func verifyManifest(in directory: String, _ trust: TrustPolicy) throws(ReleaseError) {
        let files = try ReleaseDirectory(directory)
        _ = try trust.verify(manifestBytes: files.manifestBytes, signatureBytes: files.signatureBytes)
    }

    func begin(_ version: Version, of id: ApplicationID, origin: Endpoint?) {
        guard let application = applications[id] else { return }
        let used = applications.values.reduce(into: Set<Int>()) { $0.formUnion($1.usedSlots) }
        let slot = (0...).first { !used.contains($0) } ?? used.count
        let pipeline = UpgradePipeline(to: version, from: application.newestServing)
        let record = VersionRecord(application: id, pipeline: pipeline, origin: origin, slot: slot)
        change(id, version) { $0 = record }
        Task {
            await self.upgrade(id, version)
            self.upgradeEnded(id)
        }
    }

    /// After a restart: what served is started again, what was under way goes on or starts over.
    func resumeAfterRestart() {
        for (id, application) in applications {
            for record in application.records.values.sorted(by: { $0.version < $1.version }) where !record.isRetired {
                // Whether its migration can go on is seen when its environment is looked for.
                if record.pipeline.state == .working(.migrate) { continue }
                change(id, record.version) { _ = $0.pipeline.recover() }
            }
            Task { await self.resume(id) }
        }
    }

    private func resume(_ id: ApplicationID) async {
        for record in (applications[id]?.records ?? [:]).values where record.pipeline.state == .working(.migrate) {
            await resumeMigration(id, record.version)
        }
        let records = (applications[id]?.records.values ?? [:].values)
            .filter { !$0.isRetired }.sorted { $0.version < $1.version }
        let unfinished = records.first { $0.pipeline.action != .finished }
        if unfinished != nil { applications[id]?.isUpgrading = true }
        for record in records where record.pipeline.isServing {
            guard applications[id]?.isReplaced(record) == false else { continue }
            // What was to take its place had not begun to serve, and starts over.
            if record.isStopped == true { change(id, record.version) { $0.isStopped = nil } }
            guard let application = applications[id], application.running[record.version] == nil,
                !application.starting.contains(record.version)
            else { continue }
            await restart(id, record.version)
        }
        if let unfinished { await upgrade(id, unfinished.version, goesOn: (lastRestart?.number ?? 0) > 0) }
        await endLogsWithoutSnapshot()
        upgradeEnded(id)
    }

    /// There is room for the next one.
    private func upgradeEnded(_ id: ApplicationID) {
        goBackIfWithdrawn(id)
        reconsiderPeers(id)
    }

    // MARK: Going on

    /// Takes a version through its pipeline, until it serves alone or is taken away.
    ///
    /// - Parameter goesOn: whether the first stage was begun by the versiond that executed this one.
    private func upgrade(_ id: ApplicationID, _ version: Version, goesOn: Bool = false) async {
        var goesOn = goesOn
        applications[id]?.isUpgrading = true
        // One that was in the middle when versiond ended has its place already.
        if applications[id]?.records[version]?.pipeline.action == .perform(.migrate) {
            applications[id]?.isAdmitted = true
        }
        defer {
            applications[id]?.isUpgrading = false
            applications[id]?.isAdmitted = false
        }
        while !isEnding, let pipeline = applications[id]?.records[version]?.pipeline {
            switch pipeline.action {
            case .finished: return
            case .perform(let stage):
                await perform(stage, id, version, goesOn: goesOn)
                goesOn = false
            case .remove(let reason):
                if case .undoing(let stage, _) = pipeline.state {
                    withdrawIfTried(id, version, at: stage, reason: reason)
                }
                note("version \(version) of \(id) is taken away: \(reason)", level: .error)
                await takeAway(id, version)
                change(id, version) { _ = $0.pipeline.removed() }
                applications[id]?.retryAfter[version] = clock.now + Self.downloadRetryDelay
            }
        }
    }

    private func perform(_ stage: UpgradeStage, _ id: ApplicationID, _ version: Version, goesOn: Bool) async {
        if !goesOn {
            record { try $0.stageBegan(stage, of: id, version, at: time.steady) }
        }
        let task = Task { try await self.work(stage, id, version) }
        applications[id]?.stageTask = task
        let result = await task.result
        applications[id]?.stageTask = nil
        // A node that ends has cancelled the work; its journal still says that it was under way.
        guard !isEnding else { return }
        record { try $0.stageEnded(stage, of: id, version, at: time.steady) }
        var needsPause = false
        change(id, version) { record in
            // Meanwhile the version may have failed for another reason, or an operator have taken it away.
            guard record.pipeline.action == .perform(stage) else { return }
            switch result {
            case .success: _ = record.pipeline.succeeded(stage)
            case .failure(let error): needsPause = record.pipeline.failed("\(error)") == nil
            }
        }
        if case .failure(let error) = result, needsPause {
            note("\(stage.title) of version \(version) of \(id) is tried again: \(error)", level: .error)
            try? await Task.sleep(for: .seconds(1))
        }
    }

    // MARK: Ending

    /// An operator, or the publishers, want the older version back.
    func rollBack(_ id: ApplicationID, reason: String = "rolled back by the operator") async throws -> String {
        guard let application = applications[id] else { throw NodeError("\(id) is not managed on this node") }
        // Whatever is on its way, and be it back.
        guard let version = application.underWay ?? application.newest,
            var pipeline = application.records[version]?.pipeline
        else {
            throw NodeError("no version of \(id) runs here")
        }
        if let checkpoint = try await checkpoint(below: version, of: id) {
            return try await restore(checkpoint, of: id, isReplayed: false, reason: reason)
        }
        if pipeline.predecessor != nil || pipeline.isServing {
            _ = try pipeline.rollBack(reason: reason)
        } else {
            // The first version, on its way: there is nothing else, but nobody uses it either.
            _ = pipeline.failed(reason)
        }
        let writes = await application.proxy?.counters.writes
        if let predecessor = pipeline.predecessor, pipeline.isServing,
            let missing = writes?.lag[predecessor], missing > 0
        {
            throw NodeError(
                "version \(predecessor) still misses \(missing) writes; it would be alone without them. Try again")
        }
        change(id, version) { $0.pipeline = pipeline }
        applications[id]?.stageTask?.cancel()
        return "version \(version) of \(id) is being taken away"
    }

    /// A version's process ended without being told to.
    func versionExited(_ id: ApplicationID, _ version: Version, reason: String) async {
        guard !isEnding, var pipeline = applications[id]?.records[version]?.pipeline,
            let running = applications[id]?.running[version]
        else { return }
        if applications[id]?.starting.contains(version) == true {
            // One start at a time: who does it hears of this.
            applications[id]?.endedWhileStarting[version] = reason
            applications[id]?.healthChecks[version]?.cancel()
            return
        }
        if isFilled(by: id, version, pipeline) {
            applications[id]?.restarts[version, default: 0] += 1
        } else if pipeline.failed(reason) != nil, pipeline.predecessor != nil || !pipeline.isServing {
            change(id, version) { $0.pipeline = pipeline }
            applications[id]?.stageTask?.cancel()
            return
        }
        note("version \(version) of \(id) ended and is started again: \(reason)", level: .error)
        applications[id]?.starting.insert(version)
        applications[id]?.running[version] = nil
        await running.environment.stop(.immediate)
        running.registrar.cancel()
        await restart(id, version)
    }

    /// Whether a version that ended is only started again although its migration is under way: the proxy that copies
    /// its state goes on when it is back. One that ends again and again is taken away.
    private func isFilled(by id: ApplicationID, _ version: Version, _ pipeline: UpgradePipeline) -> Bool {
        guard pipeline.state == .working(.migrate), let application = applications[id],
            application.running[version]?.manifest.migrator == nil
        else { return false }
        return application.restarts[version, default: 0] < Self.migrationRestartsMax
    }

    // MARK: The journal

    /// Changes a version's record, first in the journal.
    func change(_ id: ApplicationID, _ version: Version, _ body: (inout VersionRecord) -> Void) {
        var record =
            applications[id]?.records[version]
            ?? VersionRecord(application: id, pipeline: UpgradePipeline(to: version, from: nil), origin: nil, slot: 0)
        body(&record)
        self.record { try $0.save(record) }
        applications[id]?.records[version] = record
    }

    /// Changes several versions' records, all of them or none.
    func change(_ id: ApplicationID, _ changes: [Version: (inout VersionRecord) -> Void]) {
        let records = changes.compactMap { version, body -> VersionRecord? in
            guard var record = applications[id]?.records[version] else { return nil }
            body(&record)
            return record
        }
        record { try $0.save(records) }
        for record in records { applications[id]?.records[record.version] = record }
    }

    /// Writes the journal. A node that cannot must not go on: nobody could tell afterwards what it did.
    private func record(_ body: (Journal) throws -> Void) {
        do {
            try body(journal)
        } catch {
            logger.critical("the journal cannot be written", metadata: ["reason": "\(error)"])
            fatalError("the journal cannot be written: \(error)")
        }
    }
}
