/// Numbers of one name in the text format of Prometheus (version 0.0.4).
struct MetricFamily {
    /// What a number is.
    enum Kind: String {
        /// It only grows while versiond runs.
        case counter
        /// It goes up and down.
        case gauge
    }

    private let name: String
    private let kind: Kind
    private let help: String
    private var samples: [String] = []

    /// A family without numbers.
    ///
    /// - Parameter name: with its unit, and `_total` at its end if it is a counter, as Prometheus wants it.
    init(_ name: String, _ kind: Kind, _ help: String) {
        precondition((kind == .counter) == name.hasSuffix("_total"), "the name of a counter ends with _total")
        (self.name, self.kind, self.help) = (name, kind, help)
    }

    /// Adds a number.
    mutating func add(_ value: some BinaryInteger, _ labels: KeyValuePairs<String, String> = [:]) {
        add(text: "\(value)", labels)
    }

    /// Adds a number of thousandths.
    mutating func add(thousandths: Int64, _ labels: KeyValuePairs<String, String> = [:]) {
        add(text: "\(Double(thousandths) / 1000)", labels)
    }

    private mutating func add(text: String, _ labels: KeyValuePairs<String, String>) {
        let list = labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
        samples.append("\(name)\(list.isEmpty ? "" : "{\(list)}") \(text)")
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case let other where other.isNewline: escaped += "\\n"
            default: escaped.append(character)
            }
        }
    }

    /// The lines of the family; none if it has no numbers.
    var text: String {
        guard !samples.isEmpty else { return "" }
        let lines = ["# HELP versionkit_\(name) \(help)", "# TYPE versionkit_\(name) \(kind.rawValue)"]
        return (lines + samples.map { "versionkit_" + $0 }).map { $0 + "\n" }.joined()
    }
}
