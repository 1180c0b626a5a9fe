import CFSFiles
import CFSModel
import DequeModule
import NIOCore

/// What is on its way to a gateway, and what has arrived. Its owner is an actor, on which all of it happens.
struct StoreQueue {
    /// Blocks under way.
    private(set) var count = 0
    /// Bytes of these.
    private(set) var bytes = 0
    /// What the first one failed with.
    var failure: (any Error)?

    private var known: Set<ChordID> = []
    /// In the order in which they came: the first are forgotten first.
    private var knownOrder = Deque<ChordID>()
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Whether a block of this name is stored, or on its way.
    func isKnown(_ name: ChordID) -> Bool { known.contains(name) }

    /// - Returns: Whether the block is a new one.
    mutating func begin(_ block: NamedBlock, knownMax: Int) -> Bool {
        guard known.insert(block.name).inserted else { return false }
        knownOrder.append(block.name)
        if knownOrder.count > knownMax, let first = knownOrder.popFirst() { known.remove(first) }
        count += 1
        bytes += block.bytes.readableBytes
        return true
    }

    mutating func end(_ block: NamedBlock, _ error: (any Error)?) {
        count -= 1
        bytes -= block.bytes.readableBytes
        if let error {
            known.remove(block.name)
            failure = failure ?? error
        }
        for continuation in waiting { continuation.resume() }
        waiting = []
    }

    mutating func enqueue(_ continuation: CheckedContinuation<Void, Never>) { waiting.append(continuation) }
}
