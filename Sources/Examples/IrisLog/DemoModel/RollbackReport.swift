import ExampleFleet
import FoundationEssentials

/// What the demonstration of withdrawals found.
package struct RollbackReport: Codable, Sendable {
    package var nodes = 0
    /// The nodes that have only version 1 at the end.
    package var nodesBack = 0
    /// The nodes that ever began with the bad release.
    package var badReleaseNodes: [String] = []
    package var milliseconds = 0
    package var requests = 0
    package var failed = 0
    /// Of these, those that the bad release may have taken with it when its process ended.
    package var excused = 0
    package var updates = 0
    package var lost = 0
    package var steps: [StepLog.Step] = []
    /// What else was not as it has to be.
    package var troubles: [String] = []

    package init() {}

    package var isGood: Bool {
        nodes > 0 && nodesBack == nodes && failed == excused && updates > 0 && lost == 0 && troubles.isEmpty
    }

    /// The last line.
    package var line: String {
        let excuse = excused > 0 ? " (\(excused) as the bad release ended)" : ""
        return "demo: \(nodesBack)/\(nodes) nodes back on version 1 in \((Double(milliseconds) / 1000).tenths) s; "
            + "the bad release ran on \(badReleaseNodes.count); \(requests) requests, \(failed) failed\(excuse); "
            + "\(updates) updates, \(lost) lost"
    }

    /// The same for programs, in one line.
    package func json() throws -> String {
        struct Judged: Encodable {
            var report: RollbackReport

            func encode(to encoder: any Encoder) throws {
                try report.encode(to: encoder)
                var container = encoder.container(keyedBy: Keys.self)
                try container.encode(report.isGood, forKey: .good)
            }

            enum Keys: String, CodingKey { case good }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(Judged(report: self)), as: UTF8.self)
    }
}
