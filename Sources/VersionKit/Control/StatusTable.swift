import VersionKitModel
import VersionKitUpgrade

/// A node's status for people.
public enum StatusTable {
    /// Some lines of text, without an end of line behind the last one.
    public static func text(of status: NodeStatus) -> String {
        var lines = ["\(status.node) (\(status.address))"]
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
        }
        let router = status.router
        lines.append(
            "  router: \(router.outbound) out, \(router.inbound) in, \(router.plain) plain, \(router.control) control, "
                + "\(router.bytes) bytes")
        for (reason, count) in router.refused.sorted(by: { $0.key < $1.key }) {
            lines.append("    refused \(count): \(reason)")
        }
        return lines.joined(separator: "\n")
    }

    private static func describe(_ version: VersionStatus) -> [String] {
        let stage = version.stage.map { " (\($0.title))" } ?? ""
        var lines = ["    version \(version.version): \(version.state.rawValue)\(stage)"]
        if let reason = version.reason { lines.append("      reason: \(reason)") }
        if !version.stages.isEmpty {
            let times = version.stages.map { "\($0.stage.title) \($0.milliseconds) ms" }
            lines.append("      \(times.joined(separator: ", "))")
        }
        if let migration = version.migration {
            lines.append("      migrated: \(migration.copied) copied of \(migration.examined)")
        }
        if let writes = version.writes {
            lines.append(
                "      writes: \(writes.missing) missing, \(writes.diverged) diverged; \(writes.compared) keys compared, "
                    + "\(writes.copied) copied")
            if let trouble = writes.trouble { lines.append("      trouble: \(trouble)") }
        }
        return lines
    }
}
