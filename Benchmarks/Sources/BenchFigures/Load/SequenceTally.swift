/// Which of the numbered datagrams came back, and how.
package struct SequenceTally: Sendable {
    private var seen: [Bool]
    private var highest = -1
    /// Different ones that came back.
    package private(set) var received = 0
    /// That came once more.
    package private(set) var duplicates = 0
    /// That came after one with a higher number.
    package private(set) var reordered = 0
    /// With a number that was never sent.
    package private(set) var unknown = 0

    /// For numbers from 0 up to this count.
    package init(count: Int) { seen = Array(repeating: false, count: count) }

    package mutating func add(_ number: Int) {
        guard seen.indices.contains(number) else {
            unknown += 1
            return
        }
        guard !seen[number] else {
            duplicates += 1
            return
        }
        seen[number] = true
        received += 1
        if number < highest { reordered += 1 } else { highest = number }
    }

    /// How many of the first so many did not come back.
    package func lost(of sent: Int) -> Int { sent - seen.prefix(sent).count { $0 } }
}
