package import VersionKitControl
package import VersionKitModel
import VersionKitUpgrade

/// How long each stage took on each node: figures 11 and 12 of the paper as a table.
package enum StageTable {
    package static func text(_ nodes: [(name: String, status: NodeStatus?)], version: Version) -> String {
        let stages = UpgradeStage.allCases
        var lines = [pad("ms", 6) + stages.map { pad($0.title, 12) }.joined()]
        for (name, status) in nodes {
            let found = status?.applications.first?.versions.first { $0.version == version }
            let times = Dictionary((found?.stages ?? []).map { ($0.stage, $0.milliseconds) }) { first, _ in first }
            lines.append(pad(name, 6) + stages.map { pad(times[$0].map(String.init) ?? "-", 12) }.joined())
        }
        return lines.joined(separator: "\n")
    }
}
