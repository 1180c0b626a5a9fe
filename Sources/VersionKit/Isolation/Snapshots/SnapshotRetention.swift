import VersionKitModel

/// How many snapshots a node keeps, and for how long. What an operator asked for is counted by itself: nothing that the
/// node does on its own account takes it away.
package struct SnapshotRetention: Sendable, Hashable {
    /// The most that are kept of one application: those that the node made, and those that an operator asked for.
    package var countMax: Int
    /// How long one is kept.
    package var ageMax: Duration

    /// Three snapshots, for a week, unless said otherwise.
    package init(countMax: Int = 3, ageMax: Duration = .seconds(7 * 24 * 3600)) {
        self.countMax = countMax
        self.ageMax = ageMax
    }

    /// Those that are to be removed, the oldest first.
    ///
    /// - Parameters:
    ///   - records: all that there are.
    ///   - now: the time, in seconds since 1970. One whose time is yet to come, as the clock was set back, is young.
    package func expired(_ records: [SnapshotRecord], at now: Int64) -> [SnapshotRecord] {
        let newestFirst = records.sorted { ($0.time, $0.id.rawValue) > ($1.time, $1.id.rawValue) }
        var kept: [Owner: Int] = [:]
        let expired = newestFirst.filter { record in
            let owner = Owner(application: record.application.rawValue, isOperator: record.reason == .byOperator)
            let count = kept[owner, default: 0]
            guard count < countMax, now - record.time <= ageMax.components.seconds else { return true }
            kept[owner] = count + 1
            return false
        }
        return expired.reversed()
    }

    private struct Owner: Hashable {
        let application: String
        let isOperator: Bool
    }
}
