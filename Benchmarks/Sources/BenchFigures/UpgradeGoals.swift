/// What the distribution of a release is measured on.
package enum UpgradeMeasure: Int, CaseIterable, Sendable {
    /// Few hosts, a large release.
    case large = 1
    /// Many hosts, a small one.
    case many = 2

    /// The driver's arguments.
    package func words(isQuick: Bool) -> [String] {
        switch self {
        case .large: ["nodes=\(isQuick ? 4 : 12)", "bytes=\(isQuick ? 6_000_000 : 48_000_000)", "megabits=100"]
        case .many: ["nodes=\(isQuick ? 8 : 48)", "bytes=\(isQuick ? 1_000_000 : 6_000_000)", "megabits=100"]
        }
    }

    /// What the figures are called.
    package var name: String {
        switch self {
        case .large: "12 hosts, 48 MB, 100 Mbit/s"
        case .many: "48 hosts, 6 MB, 100 Mbit/s"
        }
    }
}

/// A row that the driver prints: `measure<tab>value<tab>unit`.
package struct SpreadRow: Sendable, Hashable {
    package var measure: String
    package var value: Double
    package var unit: String

    /// Nothing if the line is not such a row.
    package init?(line: some StringProtocol) {
        let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, let value = Double(String(parts[1])), value.isFinite else {
            return nil
        }
        (measure, self.value, unit) = (String(parts[0]), value, String(parts[2]))
    }
}

/// What upgrades have to reach.
package enum UpgradeGoals {
    /// Whose figures they are.
    package static let peer = "VersionKit"

    /// The goals of these measures.
    package static func all(of measures: [UpgradeMeasure]) -> [Goal] { measures.flatMap(goals) }

    private static func goals(of measure: UpgradeMeasure) -> [Goal] {
        switch measure {
        case .large:
            [
                goal(measure, "until the last has it, to the least", "ratio", .atMost(2), "x"),
                goal(measure, "until the last has it", "last", .none, " s"),
                goal(measure, "copies that the first host sent", "seed-copies", .none, ""),
            ]
        case .many:
            [
                goal(measure, "until the last has it", "last", .atMost(5), " s"),
                goal(measure, "until the last has it, to the least", "ratio", .none, "x"),
                goal(measure, "copies that the first host sent", "seed-copies", .none, ""),
            ]
        }
    }

    private static func goal(
        _ measure: UpgradeMeasure, _ title: String, _ key: String, _ criterion: Goal.Criterion, _ unit: String
    ) -> Goal {
        Goal(
            measure: measure.rawValue, title: "\(measure.name), \(title)", criterion: criterion, unit: unit, digits: 2,
            peer: peer
        ) { $0.median("\(measure.name), \(key)", peer) }
    }
}
