/// The line that `redis-proxy --report` prints: `counters requests=3 failed=0 lag-2=0`.
package enum CounterLine {
    /// The numbers in the last whole line of that kind, or nothing when there is none yet.
    package static func last(in text: some StringProtocol) -> [String: Int]? {
        // What comes after the last newline is a line that is still being written.
        guard let end = text.lastIndex(where: \.isNewline) else { return nil }
        let lines = text[..<end].split(whereSeparator: \.isNewline)
        guard let line = lines.last(where: { $0.hasPrefix("counters ") }) else { return nil }
        var numbers: [String: Int] = [:]
        for word in line.split(separator: " ") {
            let parts = word.split(separator: "=", maxSplits: 1)
            if parts.count == 2, let number = Int(parts[1]) { numbers[String(parts[0])] = number }
        }
        return numbers
    }
}
