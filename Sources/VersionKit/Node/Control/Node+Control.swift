import Logging
import VersionKitControl
import VersionKitIsolation
import VersionKitJournal
import VersionKitModel
import VersionKitProxy
import VersionKitReleases
import VersionKitRouter
import VersionKitTransport
import VersionKitUpgrade

/// What operators and environments ask of a node.
extension Node {
    func answer(_ request: ControlRequest) async -> ControlResponse {
        await waitIfSuspended()
        do {
            switch request {
            case .status: return .status(await status())
            case .metrics: return .metrics(await metrics())
            case .history(let application, let limit): return .history(try history(of: application, limit))
            case .publish(let directory): return .done(try await publish(from: directory))
            case .publishRoot(let file): return .done(try publishRoot(file))
            case .publishChannel(let file): return .done(try publishChannel(file))
            case .restart(let binary): return try await askForRestart(binary)
            case .rollback(let application): return .done(try await rollBack(application))
            case .retire(let application): return .done(try dismiss(application))
            case .judge(let application, let version, let promotes, let reason):
                return .done(try judge(application, version, promotes: promotes, reason: reason))
            case .restore(let application, let snapshot, let isClean, let isReplayed):
                return .done(
                    try await restore(
                        snapshot, of: application, isClean: isClean == true, isReplayed: isReplayed != false))
            case .snapshot(let application, let version, let level):
                return .done(try await takeSnapshot(of: application, version, level))
            case .snapshots: return .snapshots(try await listSnapshots().map(SnapshotStatus.init))
            case .removeSnapshot(let id): return .done(try await removeSnapshot(id))
            case .traffic: return .traffic(await traffic())
            case .isolation: return .isolation(await backends.report())
            case .explain(let query): return .flow(try await explain(query))
            case .forgetPeer(let application, let address): return forgetPeer(address, of: application)
            case .ports(let application, let name, let transport):
                return .ports(ports(of: application, named: name, over: transport))
            case .register, .renew, .unregister:
                return .refused("ports are registered from inside an application's environment")
            }
        } catch {
            return .refused("\(error)")
        }
    }

    /// Behind a restart nobody would know what was answered: whoever asks now is answered by the next versiond, or asks
    /// again.
    func waitIfSuspended() async { while isSuspended { try? await Task.sleep(for: .seconds(1)) } }

    private func metrics() async -> String {
        let refused = control.refused.merging(controlTCP?.refused ?? [:], uniquingKeysWith: +)
        return NodeMetrics.text(of: await status(), traffic: await traffic(), refused: refused)
    }

    private func history(of application: ApplicationID?, _ limit: Int?) throws -> HistoryStatus {
        let most = min(max(1, limit ?? ControlLimits.historyMax), ControlLimits.historyMax)
        let events = try journal.events(naming: application?.rawValue, most: most).map { time, text in
            HistoryStatus.Event(time: time, text: text)
        }
        let records = applications.values.filter { application == nil || $0.id == application }.flatMap { one in
            one.records.keys.map { (one.id, $0) }
        }
        let upgrades = records.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map { id, version in
            HistoryStatus.Upgrade(application: id, version: version, stages: stageTimes(id, version))
        }
        return HistoryStatus(events: events, upgrades: upgrades)
    }

    private func status() async -> NodeStatus {
        var list: [ApplicationStatus] = []
        for id in applications.keys.sorted() {
            guard let application = applications[id] else { continue }
            let counters = await application.proxy?.counters
            let versions = application.records.keys.sorted().compactMap {
                status(of: $0, in: application, counters?.writes ?? WriteNumbers())
            }
            var proxy: ProxyStatus?
            if let counters {
                proxy = ProxyStatus(
                    requests: counters.requests, failed: counters.failed, connections: counters.connections,
                    refused: counters.refused)
            }
            let known = (peers.peers[id] ?? [:]).map { ($0.key.description, $0.value.versions.sorted()) }
            list.append(
                ApplicationStatus(
                    application: id, versions: versions, proxy: proxy,
                    peers: Dictionary(known) { first, _ in first },
                    peersHeard: Dictionary(
                        (peers.peers[id] ?? [:]).map { ($0.key.description, time.ofDay(at: $0.value.lastHeard)) }
                    ) { first, _ in first },
                    ports: ports(of: id), trust: trustStatus(of: application)))
        }
        let counters = relayCounters
        return NodeStatus(
            node: configuration.node, addresses: configuration.address, applications: list,
            router: RouterStatus(
                outbound: counters.outbound, inbound: counters.inbound, plain: counters.plain,
                control: counters.control, bytes: counters.bytes, refused: counters.refused,
                pooled: counters.pooled, unused: counters.unused,
                kernel: await kernelStatus()),
            fleet: fleetStatus, restart: lastRestart, swarm: swarm?.status)
    }

    private func status(
        of version: Version, in application: ManagedApplication, _ writes: WriteNumbers
    ) -> VersionStatus? {
        guard let record = application.records[version] else { return nil }
        var state = VersionStatus.State.serving
        var stage: UpgradeStage?
        var reason: String?
        switch record.pipeline.state {
        case .complete: reason = application.putBackTrouble[version].map { "it cannot be put back: \($0)" }
        case .working(let current):
            state = record.pipeline.isServing ? .serving : .upgrading
            stage = current
            if !record.pipeline.isServing { reason = application.obstacle.map { "it waits: \($0)" } }
        case .undoing(let failed, let why), .undone(let failed, let why):
            state = .failed
            (stage, reason) = (failed, why)
        }
        if record.isDraining { state = .draining }
        if record.isStopped == true { state = .stopped }
        if record.isRetired { (state, reason) = (.retired, record.departure ?? reason) }
        let times = stageTimes(application.id, version)
        var status = VersionStatus(
            version: version, state: state, stage: stage, reason: reason,
            addresses: application.running[version]?.environment.addresses,
            agent: application.running[version]?.environment.agent, stages: times,
            migration: application.migrations[version] ?? record.migration?.progress,
            writes: WriteStatus(writes, of: version),
            peerMessages: relayCounters.delivered[application.id]?[version] ?? 0,
            spread: spreadStatus(of: application.id, version),
            download: swarm?.download(of: .init(application.id, version)))
        status.report = record.migration
        status.lastReport = record.lastMigration
        status.isDismissed = record.isDismissed
        status.replay = record.replay.map { replay in
            ReplayStatus(
                snapshot: replay.snapshot, writes: writes.logged[version, default: 0],
                bytes: writes.loggedBytes[version, default: 0],
                failure: replay.failure ?? writes.unreplayable[version])
        }
        return status
    }

    private func stageTimes(_ id: ApplicationID, _ version: Version) -> [StageTime] {
        do {
            return try journal.stages(of: id, version).map { stage, started, finished in
                StageTime(stage: stage, startedAt: started, milliseconds: (finished ?? time.steady) - started)
            }
        } catch {
            logger.error("the journal cannot be read", metadata: ["reason": "\(error)"])
            return []
        }
    }
}

extension WriteStatus {
    /// What a proxy says of one version, or `nil` if there is nothing to say.
    init?(_ numbers: WriteNumbers, of version: Version) {
        let disk = numbers.disk[version].map {
            "what it misses cannot be written to the disk (tried \(numbers.unkept[version, default: 0]) times): \($0)"
        }
        self.init(
            missing: numbers.lag[version, default: 0], queued: numbers.queued[version, default: 0],
            queuedBytes: numbers.queuedBytes[version, default: 0], compared: numbers.examined[version, default: 0],
            copied: numbers.copied[version, default: 0], diverged: numbers.diverged[version, default: 0],
            trouble: numbers.trouble[version] ?? disk)
        if self == WriteStatus(missing: 0, queued: 0, queuedBytes: 0, compared: 0, copied: 0, diverged: 0, trouble: nil)
        {
            return nil
        }
    }
}
