/// What a load generator measured: numbers by name, one line of JSON.
package struct LoadResult: Sendable, Equatable {
    package var numbers: [(name: String, value: Double)] = []

    package init() {}

    package static func == (left: Self, right: Self) -> Bool { left.json == right.json }

    package subscript(name: String) -> Double? {
        get { numbers.first { $0.name == name }?.value }
        set {
            numbers.removeAll { $0.name == name }
            if let newValue { numbers.append((name, newValue)) }
        }
    }

    /// One object, the numbers in the order in which they were set.
    package var json: String {
        "{" + numbers.map { "\"\($0.name)\": \($0.value)" }.joined(separator: ", ") + "}"
    }

    /// Reads what ``json`` makes; `nil` if it is anything else. Only this, not all of JSON: names without escapes, and
    /// numbers.
    package init?(json: some StringProtocol) {
        guard json.first == "{", json.last == "}" else { return nil }
        for member in json.dropFirst().dropLast().split(separator: ",") {
            let parts = member.split(separator: ":")
            guard parts.count == 2 else { return nil }
            let name = String(parts[0].filter { $0 != " " })
            guard name.count > 2, name.first == "\"", name.last == "\"",
                let value = Double(String(parts[1].filter { $0 != " " }))
            else { return nil }
            self[String(name.dropFirst().dropLast())] = value
        }
    }

    /// The last line of a program's output that is a result.
    package static func last(in output: String) -> LoadResult? {
        for line in output.split(whereSeparator: \.isNewline).reversed() {
            if let result = LoadResult(json: line) { return result }
        }
        return nil
    }
}
