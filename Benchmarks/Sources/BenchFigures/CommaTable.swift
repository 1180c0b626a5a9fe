/// Numbers with commas in between, as programs write them: a line of names, and the rows below.
package struct CommaTable: Sendable, Hashable {
    /// The values of each row by their columns' names.
    package private(set) var rows: [[String: Double]] = []

    /// Nothing if there is no line of names, or a row has other columns or anything but numbers.
    package init?(_ text: String) {
        var lines = text.split(whereSeparator: \.isNewline).map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        guard let names = lines.first?.map(String.init), Set(names).count == names.count else { return nil }
        lines.removeFirst()
        for line in lines {
            let values = line.compactMap { Double(String($0)) }
            guard values.count == names.count, line.count == names.count, values.allSatisfy(\.isFinite) else {
                return nil
            }
            rows.append(Dictionary(uniqueKeysWithValues: zip(names, values)))
        }
    }
}
