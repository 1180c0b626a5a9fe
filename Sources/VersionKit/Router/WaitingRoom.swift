/// Those who wait for the same time, in the order in which they came: who is due, and who has waited longest.
///
/// Joining and leaving take constant time on average. A value; bounded by its owner, who asks ``count``.
package struct WaitingRoom: Sendable {
    private struct Entry {
        var id: UInt64
        var deadline: Duration
    }

    private let patience: Duration
    private var entries: [Entry] = []
    /// Entries before this one are gone.
    private var first = 0
    private var present: Set<UInt64> = []

    /// A room where everybody waits for so long.
    package init(patience: Duration) { self.patience = patience }

    /// How many wait.
    package var count: Int { present.count }

    /// Who has waited longest.
    package var oldest: UInt64? {
        mutating get {
            skipAbsent()
            return first < entries.count ? entries[first].id : nil
        }
    }

    /// When the first of them is due.
    package var deadline: Duration? {
        mutating get {
            skipAbsent()
            return first < entries.count ? entries[first].deadline : nil
        }
    }

    /// How long everybody has waited.
    package func waited(at time: Duration) -> [UInt64: Duration] {
        let waited = entries[first...].lazy.filter { present.contains($0.id) }
            .map { ($0.id, time - $0.deadline + patience) }
        return Dictionary(waited, uniquingKeysWith: min)
    }

    /// Lets one in, who is due ``patience`` after `time`. Times never go back, and nobody comes twice.
    package mutating func join(_ id: UInt64, at time: Duration) {
        entries.append(Entry(id: id, deadline: time + patience))
        present.insert(id)
    }

    /// Lets one go; has no effect for one who is not here.
    package mutating func leave(_ id: UInt64) {
        guard present.remove(id) != nil, entries.count > 2 * present.count + 64 else { return }
        // Most entries are of those who left: what is done here was paid for by their coming.
        entries = entries[first...].filter { present.contains($0.id) }
        first = 0
    }

    /// Lets everybody go who is due at this time.
    package mutating func expired(at time: Duration) -> [UInt64] {
        var due: [UInt64] = []
        while let deadline, deadline <= time {
            due.append(entries[first].id)
            present.remove(entries[first].id)
            first += 1
        }
        return due
    }

    private mutating func skipAbsent() {
        while first < entries.count, !present.contains(entries[first].id) { first += 1 }
        if first == entries.count {
            entries.removeAll(keepingCapacity: true)
            first = 0
        }
    }
}
