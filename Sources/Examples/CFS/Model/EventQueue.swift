/// What is going to happen, in order of time; at the same time, in the order in which it was planned.
public struct EventQueue<Event> {
    private struct Entry {
        var time: Duration
        var order: UInt64
        var slot: Int

        static func < (left: Self, right: Self) -> Bool {
            left.time == right.time ? left.order < right.order : left.time < right.time
        }
    }

    /// A binary heap of small entries; the events themselves stay where they are.
    private var heap: [Entry] = []
    private var events: [Event?] = []
    private var free: [Int] = []
    private var planned: UInt64 = 0

    /// Nothing is going to happen.
    public init() {}

    /// When the next one is due.
    public var nextTime: Duration? { heap.first?.time }

    /// Plans something.
    public mutating func plan(_ event: Event, at time: Duration) {
        let slot: Int
        if let reused = free.popLast() {
            slot = reused
            events[slot] = event
        } else {
            slot = events.count
            events.append(event)
        }
        planned += 1
        heap.append(Entry(time: time, order: planned, slot: slot))
        var index = heap.count - 1
        while index > 0, heap[index] < heap[(index - 1) / 2] {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    /// What happens next, and when; it is forgotten.
    public mutating func next() -> (time: Duration, event: Event)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        guard let event = events[first.slot].take() else { return nil }
        free.append(first.slot)
        return (first.time, event)
    }

    private mutating func sink() {
        var index = 0
        while true {
            let (left, right) = (2 * index + 1, 2 * index + 2)
            var smallest = index
            if left < heap.count, heap[left] < heap[smallest] { smallest = left }
            if right < heap.count, heap[right] < heap[smallest] { smallest = right }
            guard smallest != index else { return }
            heap.swapAt(index, smallest)
            index = smallest
        }
    }
}

extension EventQueue: Sendable where Event: Sendable {}
