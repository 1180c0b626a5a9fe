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
        do {
            switch request {
            case .status: return .status(await status())
            case .publish(let directory): return .done(try await publish(from: directory))
            case .rollback(let application): return .done(try await rollBack(application))
            case .register: return .refused("ports are registered from inside an application's environment")
            }
        } catch {
            return .refused("\(error)")
        }
    }

    /// An environment may register ports, and nothing else.
    func answerFromInside(
        _ request: ControlRequest, _ id: ApplicationID, _ version: Version
    ) async -> ControlResponse {
        guard case .register(let ports) = request else {
            return .refused("from inside an environment only ports can be registered")
        }
        for port in ports {
            if let other = applications.values.first(where: { $0.id != id && $0.ports.contains(port) }) {
                return .refused("port \(port) belongs to \(other.id)")
            }
            guard applications[id]?.running[version]?.manifest.ports.peer.contains(port) == true else {
                return .refused("port \(port) is not among the peer ports of the release of version \(version)")
            }
        }
        applications[id]?.ports.formUnion(ports)
        do {
            try await updateRouting()
        } catch {
            return .refused("\(error)")
        }
        return .done("\(ports.count) ports of \(id) registered")
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
                    peers: Dictionary(known) { first, _ in first }))
        }
        let counters = relayCounters
        return NodeStatus(
            node: configuration.node, address: configuration.address, applications: list,
            router: RouterStatus(
                outbound: counters.outbound, inbound: counters.inbound, plain: counters.plain,
                control: counters.control, bytes: counters.bytes, refused: counters.refused))
    }

    private func status(
        of version: Version, in application: ManagedApplication, _ writes: WriteNumbers
    ) -> VersionStatus? {
        guard let record = application.records[version] else { return nil }
        var state = VersionStatus.State.serving
        var stage: UpgradeStage?
        var reason: String?
        switch record.pipeline.state {
        case .complete: break
        case .working(let current):
            state = record.pipeline.isServing ? .serving : .upgrading
            stage = current
        case .undoing(let failed, let why), .undone(let failed, let why):
            state = .failed
            (stage, reason) = (failed, why)
        }
        if record.isDraining { state = .draining }
        if record.isRetired { state = .retired }
        let times = stageTimes(application.id, version)
        return VersionStatus(
            version: version, state: state, stage: stage, reason: reason,
            address: application.running[version]?.environment.address, stages: times,
            migration: application.migrations[version], writes: WriteStatus(writes, of: version),
            peerMessages: relayCounters.delivered[application.id]?[version] ?? 0)
    }

    private func stageTimes(_ id: ApplicationID, _ version: Version) -> [StageTime] {
        do {
            return try journal.stages(of: id, version).map { stage, started, finished in
                StageTime(stage: stage, startedAt: started, milliseconds: (finished ?? now) - started)
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
            missing: numbers.lag[version, default: 0], compared: numbers.examined[version, default: 0],
            copied: numbers.copied[version, default: 0], diverged: numbers.diverged[version, default: 0],
            trouble: numbers.trouble[version] ?? disk)
        if self == WriteStatus(missing: 0, compared: 0, copied: 0, diverged: 0, trouble: nil) { return nil }
    }
}
