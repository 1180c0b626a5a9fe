import VersionKitModel
import VersionKitUpgrade

/// Several nodes for people: `versionctl status --watch`.
public enum FleetTable {
    /// What one node answered, if it did.
    public struct Row: Sendable, Equatable {
        /// Where it was asked.
        public var place: String
        /// What it said; `nil`: nothing.
        public var status: NodeStatus?
        /// Why it said nothing.
        public var failure: String?
        /// Whether it did answer, and would not say.
        public var isRefused = false

        /// A node's answer.
        public init(place: String, status: NodeStatus?, failure: String? = nil, isRefused: Bool = false) {
            (self.place, self.status, self.failure, self.isRefused) = (place, status, failure, isRefused)
        }
    }

    /// A table with a line for each version on each node, those that are gone left out.
    ///
    /// - Parameters:
    ///   - before: the answers of the same nodes some time before; `nil`: rates are not known.
    ///   - seconds: how long before, more than 0.
    public static func text(of rows: [Row], since before: [Row]? = nil, seconds: Double = 1) -> String {
        var lines = [["NODE", "APPLICATION", "VERSION", "STATE", "STAGE", "PROGRESS", "MSG/S", "LAG"]]
        for (index, row) in rows.enumerated() {
            guard let status = row.status else {
                lines.append([row.place, "-", "-", "no answer", row.failure ?? "-", "-", "-", "-"])
                continue
            }
            let older = before.flatMap { $0.indices.contains(index) ? $0[index].status : nil }
            for application in status.applications {
                let visible = application.versions.filter { $0.state != .retired }
                let others = older?.applications.first { $0.application == application.application }?.versions ?? []
                for version in visible {
                    let old = others.first { $0.version == version.version }
                    lines.append(
                        [status.node.description, application.application.description]
                            + cells(of: version, rate: rate(version, old, seconds)))
                }
            }
        }
        let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { cells in
            let padded = cells.indices.map { column in
                cells[column] + String(repeating: " ", count: widths[column] - cells[column].count)
            }
            return padded.joined(separator: "  ").trimmingEnd
        }.joined(separator: "\n")
    }

    private static func rate(_ version: VersionStatus, _ old: VersionStatus?, _ seconds: Double) -> String {
        // A versiond that was started anew counts from 0.
        guard let old, old.peerMessages <= version.peerMessages else { return "-" }
        return "\(UInt64((Double(version.peerMessages - old.peerMessages) / seconds).rounded()))"
    }

    private static func cells(of version: VersionStatus, rate: String) -> [String] {
        [
            version.version.description, version.state.rawValue, version.stage?.title ?? "-", bar(version), rate,
            "\(version.writes?.missing ?? 0)",
        ]
    }

    /// How many of the stages are over, one character for each; `!` for the one that failed.
    private static func bar(_ version: VersionStatus) -> String {
        let stages = UpgradeStage.allCases
        let isOver = version.stage == nil
        let done = version.stage.flatMap { stages.firstIndex(of: $0) } ?? (isOver ? stages.count : 0)
        let bar = stages.indices.map { index in
            index < done ? "#" : index == done ? (version.state == .failed ? "!" : ">") : "."
        }.joined()
        switch version.stage {
        case .download: return "[\(bar)]" + (version.download.map(\.share) ?? "")
        case .migrate: return "[\(bar)]" + (version.migration.map { " \($0.copied)/\($0.examined)" } ?? "")
        default: return "[\(bar)]"
        }
    }
}

extension DownloadStatus {
    /// How much of what is wanted is here.
    fileprivate var share: String { bytesWanted == 0 ? "" : " \(100 * min(bytes, bytesWanted) / bytesWanted)%" }
}

extension String {
    fileprivate var trimmingEnd: String { String(reversed().drop { $0 == " " }.reversed()) }
}
