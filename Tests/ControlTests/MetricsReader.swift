/// Reads the text format of Prometheus, strictly: https://prometheus.io/docs/instrumenting/exposition_formats/.
enum MetricsReader {
    struct Family: Equatable {
        var type: String
        var samples: [Sample] = []
    }

    struct Sample: Equatable {
        var labels: [String: String]
        var value: Double
    }

    struct Fault: Error, CustomStringConvertible {
        var description: String
    }

    /// The families by name.
    static func read(_ text: String) throws -> [String: Family] {
        guard text.isEmpty || text.hasSuffix("\n") else { throw Fault(description: "the last line has no end") }
        var families: [String: Family] = [:]
        var (helped, current): (String?, String?) = (nil, nil)
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if line.hasPrefix("# HELP ") {
                guard words.count == 4, isName(words[2]) else { throw Fault(description: "\(line)") }
                helped = words[2]
            } else if line.hasPrefix("# TYPE ") {
                guard words.count == 4, words[2] == helped, ["counter", "gauge"].contains(words[3]),
                    families.updateValue(Family(type: words[3]), forKey: words[2]) == nil,
                    (words[3] == "counter") == words[2].hasSuffix("_total")
                else { throw Fault(description: "\(line)") }
                current = words[2]
            } else {
                let (name, sample) = try read(sample: line)
                guard name == current, families[name]?.samples.contains(where: { $0.labels == sample.labels }) == false
                else { throw Fault(description: "\(line) has no type, or comes twice") }
                families[name]?.samples.append(sample)
            }
        }
        for (name, family) in families where family.samples.isEmpty {
            throw Fault(description: "\(name) has no numbers")
        }
        return families
    }

    private static func isName(_ text: String) -> Bool { text.wholeMatch(of: /[a-zA-Z_][a-zA-Z0-9_]*/) != nil }

    private static func read(sample line: Substring) throws -> (String, Sample) {
        let pattern = /([a-zA-Z_][a-zA-Z0-9_]*)(?:\{(.*)\})? (-?[0-9.e+-]+)/
        guard let match = line.wholeMatch(of: pattern), let value = Double(match.3), value >= 0 else {
            throw Fault(description: "\(line) is no number")
        }
        var labels: [String: String] = [:]
        var rest = match.2 ?? ""
        while !rest.isEmpty {
            guard let label = rest.prefixMatch(of: /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/),
                labels.updateValue(String(label.2), forKey: String(label.1)) == nil
            else { throw Fault(description: "\(line): labels") }
            rest = rest[label.range.upperBound...]
        }
        return (String(match.1), Sample(labels: labels, value: value))
    }
}
