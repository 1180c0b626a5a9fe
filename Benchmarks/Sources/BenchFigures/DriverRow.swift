/// A row that the driver prints: `measure<tab>value<tab>unit`.
package struct DriverRow: Sendable, Hashable {
    package var measure: String
    package var value: Double
    package var unit: String

    init(measure: String, value: Double, unit: String) {
        (self.measure, self.value, self.unit) = (measure, value, unit)
    }

    /// Nothing if the line is not such a row.
    package init?(line: some StringProtocol) {
        let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, let value = Double(String(parts[1])), value.isFinite else {
            return nil
        }
        (measure, self.value, unit) = (String(parts[0]), value, String(parts[2]))
    }
}
