package import VersionKitControl
package import VersionKitModel
import VersionKitUpgrade

/// Which versions ran where, and since when, by all that the nodes said of themselves.
///
/// A node's stages are in its journal, so nothing is missed that was over between two looks.
package struct Sightings: Sendable {
    private struct Sighting {
        /// When its environment was made, in milliseconds since 1970. Whoever waits for others waits in the stage before.
        var begunAt: Int64?
        /// When its peers heard of it.
        var servedAt: Int64?
    }

    private var seen: [Version: [String: Sighting]] = [:]

    package init() {}

    /// A node said this.
    package mutating func saw(_ status: NodeStatus, on node: String) {
        for version in status.applications.first?.versions ?? [] {
            var sighting = seen[version.version]?[node] ?? Sighting()
            let starts = Dictionary(version.stages.map { ($0.stage, $0.startedAt) }) { first, _ in first }
            sighting.begunAt = sighting.begunAt ?? starts[.createEnvironment]
            sighting.servedAt = sighting.servedAt ?? starts[.serve]
            seen[version.version, default: [:]][node] = sighting
        }
    }

    /// The nodes that did more with a version than to fetch it and to wait.
    package func begun(_ version: Version) -> [String] { nodes(version) { $0.begunAt != nil } }

    /// The nodes on which a version served.
    package func served(_ version: Version) -> [String] { nodes(version) { $0.servedAt != nil } }

    /// The nodes that began with a version before it had served for so many milliseconds where it was tried out.
    package func hasty(_ version: Version, triedOn canary: String, milliseconds: Int) -> [String] {
        guard let servedAt = seen[version]?[canary]?.servedAt else { return begun(version).filter { $0 != canary } }
        return nodes(version) { $0.begunAt.map { $0 < servedAt + Int64(milliseconds) } ?? false }
            .filter { $0 != canary }
    }

    private func nodes(_ version: Version, where isWanted: (Sighting) -> Bool) -> [String] {
        (seen[version] ?? [:]).filter { isWanted($0.value) }.keys.sorted { ($0.count, $0) < ($1.count, $1) }
    }
}
