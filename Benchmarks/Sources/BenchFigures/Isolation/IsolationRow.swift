/// What the driver prints: `measure,kind,detail,value`.
package struct IsolationRow: Sendable, Hashable {
    /// With the detail, `snapshot 128 MB`.
    package var measure: String
    package var value: Double

    /// Nothing if the line is not such a row.
    package init?(line: some StringProtocol) {
        let parts = line.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 4, !parts[0].isEmpty, let value = Double(String(parts[3])), value.isFinite else {
            return nil
        }
        measure = parts[0] + (parts[2].isEmpty ? "" : " \(parts[2])")
        self.value = value
    }

    /// The medians of all that was printed, one of each measure, in the order in which they first came.
    package static func medians(in output: String) -> [IsolationRow] {
        var order: [String] = []
        var values: [String: [Double]] = [:]
        for row in output.split(whereSeparator: \.isNewline).compactMap({ IsolationRow(line: $0) }) {
            if values[row.measure] == nil { order.append(row.measure) }
            values[row.measure, default: []].append(row.value)
        }
        return order.compactMap { measure in
            Statistics.median(values[measure] ?? []).map { IsolationRow(measure: measure, value: $0) }
        }
    }

    /// Why nothing was measured, in the driver's words; `nil` if it says nothing of that.
    package static func reason(in output: String) -> String? {
        let start = "not available: "
        let line = output.split(whereSeparator: \.isNewline).last { $0.hasPrefix(start) }
        return line.map { String($0.dropFirst(start.count)) }
    }

    private init(measure: String, value: Double) {
        self.measure = measure
        self.value = value
    }

    /// In what it is told.
    package var unit: String {
        if measure.hasPrefix("network") { return "MB/s" }
        return measure.hasPrefix("idle") ? "MB" : "ms"
    }
}

extension Observations {
    /// Rows as ``csv`` writes them. Nothing if one of them is none.
    package init?(csv: String) {
        let lines = csv.split(whereSeparator: \.isNewline)
        guard lines.first == "measure,peer,round,value,unit" else { return nil }
        var all: [Observation] = []
        for line in lines.dropFirst() {
            let parts = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 5, let round = Int(parts[2]), let value = Double(parts[3]), value.isFinite else {
                return nil
            }
            all.append(Observation(parts[0], parts[1], round: round, value, parts[4]))
        }
        self.init(all)
    }
}
