import VersionKitModel
import VersionKitUpgrade

/// A node's status for people.
public enum StatusTable {
    /// Some lines of text, without an end of line behind the last one.
    public static func text(of status: NodeStatus) -> String {
        var lines = ["\(status.node) (\(status.addresses))"]
        for application in status.applications {
            lines.append("  \(application.application)")
            for version in application.versions { lines += describe(version) }
            if let proxy = application.proxy {
                lines.append(
                    "    proxy: \(proxy.requests) requests, \(proxy.failed) failed, \(proxy.connections) clients, "
                        + "\(proxy.refused) refused")
            }
            let peers = application.peers.sorted { $0.key < $1.key }.map { address, versions in
                "\(address) [\(versions.map(\.description).joined(separator: " "))]"
            }
            if !peers.isEmpty { lines.append("    peers: \(peers.joined(separator: ", "))") }
            lines += (application.trust?.lines ?? []).map { "    \($0)" }
            let ports = describe(application.ports)
            if !ports.isEmpty { lines.append("    ports: \(ports.joined(separator: ", "))") }
        }
        let router = status.router
        lines.append(
            "  router: \(router.outbound) out (\(router.pooled) ahead), \(router.inbound) in, \(router.plain) plain, \(router.control) control, "
                + "\(router.bytes) bytes")
        if let kernel = router.kernel {
            let kinds = [kernel.kind, kernel.hostKind].compactMap(\.self).joined(separator: " and ")
            let path =
                kinds.isEmpty ? "none" : "\(kinds), \(kernel.directPorts) direct ports, \(kernel.routes) routes"
            lines.append("    fast path: \(path)")
        }
        for (reason, count) in router.refused.sorted(by: { $0.key < $1.key }) {
            lines.append("    refused \(count): \(reason)")
        }
        if let fleet = status.fleet { lines += describe(fleet) }
        if let swarm = status.swarm { lines += swarm.lines }
        return lines.joined(separator: "\n")
    }

    /// Each port once, with the versions that hold it: `7000 gossip [1 2]`.
    private static func describe(_ ports: [PortStatus]) -> [String] {
        let holders = Dictionary(grouping: ports) { $0.port }
        return holders.sorted { $0.key < $1.key }.map { port, holds in
            let names = Set(holds.compactMap(\.name)).sorted().map { " \($0)" }.joined()
            return "\(port)\(names) [\(holds.map(\.version.description).joined(separator: " "))]"
        }
    }

    private static func describe(_ fleet: FleetStatus) -> [String] {
        var lines = [
            "  fleet: peers are forgotten after \(fleet.peerSilenceSeconds) s of silence, \(fleet.forgotten) were"
        ]
        if fleet.hasKey {
            lines.append(
                "    \(fleet.told) told, \(fleet.waiting) waiting, \(fleet.failed) tries failed, \(fleet.givenUp) given up, "
                    + "\(fleet.dropped) dropped; \(fleet.received) received")
        } else {
            lines.append("    no fleet key: peers are told of versions by new connections only")
        }
        if let count = fleet.strangersAdverts, count > 0 { lines.append("    \(count) adverts of strangers ignored") }
        for (reason, count) in fleet.refused.sorted(by: { $0.key < $1.key }) {
            lines.append("    refused \(count): \(reason)")
        }
        return lines
    }

    private static func describe(_ spread: SpreadStatus) -> String {
        let count = "\(spread.vouched ?? 0) of \(spread.needed ?? 0) nodes vouch for it"
        return switch spread.role {
        case .canary: "tried out here; \(count)"
        case .waiting: "waits for those who try it out; \(count)"
        case .promoted: "promoted"
        case .withdrawn: spread.reason ?? "withdrawn"
        }
    }

    private static func describe(_ report: MigrationReport) -> String {
        let verified = report.verified.map { ", \($0) verified" } ?? ""
        let attempts = report.attempts > 1 ? ", in \(report.attempts) attempts" : ""
        return verified + attempts + (report.milliseconds.map { ", in \($0) ms" } ?? "")
    }

    private static func describe(_ replay: ReplayStatus) -> String {
        if let failure = replay.failure { return "not possible: \(failure)" }
        let log = "\(replay.writes) writes logged, \(replay.bytes) bytes"
        return replay.snapshot.map { "\(log), to go on from \($0)" } ?? log
    }

    private static func describe(_ version: VersionStatus) -> [String] {
        let stage = version.stage.map { " (\($0.title))" } ?? ""
        var lines = ["    version \(version.version): \(version.state.rawValue)\(stage)"]
        if let reason = version.reason { lines.append("      reason: \(reason)") }
        if !version.stages.isEmpty {
            let times = version.stages.map { "\($0.stage.title) \($0.milliseconds) ms" }
            lines.append("      \(times.joined(separator: ", "))")
        }
        if let download = version.download { lines.append("      \(download.line)") }
        if let spread = version.spread { lines.append("      spread: \(describe(spread))") }
        if let migration = version.migration {
            lines.append(
                "      migrated: \(migration.copied) copied of \(migration.examined)"
                    + (version.report.map(describe) ?? ""))
        }
        if let report = version.lastReport {
            lines.append(
                "      once more: \(report.progress.copied) copied of \(report.progress.examined)" + describe(report))
            if let failure = report.failure { lines.append("      failed: \(failure)") }
        }
        if let writes = version.writes {
            lines.append(
                "      writes: \(writes.missing) missing (\(writes.queued) queued, \(writes.queuedBytes) bytes), "
                    + "\(writes.diverged) diverged; \(writes.compared) keys compared, "
                    + "\(writes.copied) copied")
            if let trouble = writes.trouble { lines.append("      trouble: \(trouble)") }
        }
        if let replay = version.replay { lines.append("      replay: \(describe(replay))") }
        return lines
    }
}
