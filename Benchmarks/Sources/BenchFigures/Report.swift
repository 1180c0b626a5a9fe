/// A row of the result.
package struct ReportRow: Sendable, Hashable, Codable {
    package var measure: String
    /// Nothing: the figure is told, not judged.
    package var goal: String?
    package var figure: String
    package var value: Double?
    package var isMet: Bool?
}

/// The result as people and machines read it.
package struct Report: Sendable, Codable {
    package var rows: [ReportRow]
    package var medians: [Summary]
    package var met: Int
    package var goals: Int
    /// The program that made it.
    package var name: String

    package init(
        _ goals: [Goal], _ observations: Observations, unavailable: Unavailable = Unavailable(),
        name: String = "bench-proxy"
    ) {
        self.name = name
        rows = goals.map { $0.row(observations, unavailable: unavailable) }
        medians = observations.summaries
        met = rows.filter { $0.isMet == true }.count
        self.goals = rows.filter { $0.isMet != nil }.count
    }

    /// Whether every figure is there, met or not.
    package var isComplete: Bool { rows.allSatisfy { $0.value != nil } }

    /// The last line.
    package var verdict: String { "\(name): \(met) of \(goals) goals met" }

    /// The medians of all peers.
    package var medianTable: String {
        Self.table(
            [["what", "peer", "median", "lowest", "highest", "rounds", "unit"]]
                + medians.map { summary in
                    let digits = summary.median < 100 && summary.unit != "lines" ? 2 : 0
                    return [summary.measure, summary.peer]
                        + [summary.median, summary.lowest, summary.highest].map { $0.text(digits: digits) }
                        + ["\(summary.rounds)", summary.unit]
                })
    }

    /// The goals.
    package var goalTable: String {
        Self.table(
            [["measure", "goal", "figure", "met"]]
                + rows.map { [$0.measure, $0.goal ?? "-", $0.figure, $0.isMet.map { $0 ? "yes" : "no" } ?? "-"] })
    }

    static func table(_ rows: [[String]]) -> String {
        guard let columns = rows.first?.count else { return "" }
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        func line(_ row: [String]) -> String {
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            return "| " + cells.joined(separator: " | ") + " |"
        }
        let rule = "|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|"
        return ([line(rows[0]), rule] + rows.dropFirst().map(line)).joined(separator: "\n")
    }
}
