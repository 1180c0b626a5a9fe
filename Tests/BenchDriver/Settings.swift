import ExampleFleet

/// Arguments of the form `key=value`.
package struct Settings: Sendable {
    private var values: [String: String] = [:]

    package init(_ words: some Sequence<String>) throws {
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw FleetError("'\(word)' is not key=value") }
            values[String(parts[0])] = String(parts[1])
        }
    }

    package func text(_ key: String) throws -> String {
        guard let value = values[key] else { throw FleetError("\(key)= is missing") }
        return value
    }

    package func number(_ key: String) throws -> Int {
        guard let number = Int(try text(key)) else { throw FleetError("\(key)= is not a number") }
        return number
    }
}
