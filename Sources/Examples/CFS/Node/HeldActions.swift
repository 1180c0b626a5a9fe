import CFSRing
import DequeModule

/// What says that something is kept, until it is: each waits for the commit that was open when it was to be said.
struct HeldActions: Sendable {
    private var held = Deque<(batch: UInt64, node: Int, action: RingAction)>()

    /// How many wait.
    var count: Int { held.count }

    mutating func hold(_ action: RingAction, of node: Int, for batch: UInt64) { held.append((batch, node, action)) }

    /// Takes out what waited for the commits through this one.
    mutating func take(through batch: UInt64) -> [(node: Int, action: RingAction)] {
        var taken: [(node: Int, action: RingAction)] = []
        while let first = held.first, first.batch <= batch {
            held.removeFirst()
            taken.append((first.node, first.action))
        }
        return taken
    }
}

extension RingAction {
    /// Whether it says, or lets others believe, that this node keeps something.
    var acknowledges: Bool {
        switch self {
        case .answer(_, .dhash(.stored)), .answer(_, .dhash(.offered)), .inserted(_, .success): true
        case .answer, .inserted, .ask, .wake, .lookedUp, .fetched, .joined, .joinFailed: false
        }
    }

    /// What is said instead if it is not kept.
    var inVain: RingAction {
        switch self {
        case .answer(let ticket, .dhash): .answer(ticket, .dhash(.failed(.storeError)))
        case .inserted(let operation, _): .inserted(operation, .failure(.storeError))
        case .answer, .ask, .wake, .lookedUp, .fetched, .joined, .joinFailed: self
        }
    }
}
