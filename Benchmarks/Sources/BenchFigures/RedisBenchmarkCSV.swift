/// What `redis-benchmark --csv` prints.
package enum RedisBenchmarkCSV {
    /// Requests per second of each test, by its name in the first column: `SET`, `GET`.
    ///
    /// Found by the names of the columns, since versions of redis-benchmark differ in what else they print; one of before
    /// 6.2 has no line of names, and the rate is in its second column.
    package static func rates(_ text: some StringProtocol) -> [String: Double] {
        var rates: [String: Double] = [:]
        var column = 1
        for line in text.split(whereSeparator: \.isNewline) {
            let fields = Self.fields(line)
            guard let name = fields.first, line.first == "\"" else { continue }
            if name == "test" {
                column = fields.firstIndex(of: "rps") ?? column
            } else if fields.indices.contains(column), let rate = Double(fields[column]) {
                rates[name] = rate
            }
        }
        return rates
    }

    /// The fields of a line, all in quotation marks; there is a comma inside some, `MSET (10 keys)` has none.
    static func fields(_ line: some StringProtocol) -> [String] {
        var fields = [""]
        var isQuoted = false
        for character in line {
            switch character {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted: fields.append("")
            default: fields[fields.count - 1].append(character)
            }
        }
        return fields
    }
}
