import CFSModel

/// Where this node is with giving itself more fragments of each block, since the ring became smaller.
struct TopUp: Sendable {
    /// How many it should have.
    var size: Int
    /// Since when that is so.
    var since: Duration
    /// The next block to look at; nil: all have been.
    var next: ChordID?
}

/// Rings with fewer nodes than a block has fragments (generation 2): each node keeps several.
///
/// A ring that grows spreads them by comparing keys: a newcomer makes a share of its own of each block. What others have more
/// than they would get now they keep.
extension DHash {
    /// Blocks looked at in one round.
    static var topUpKeys: Int { 256 }

    /// How many fragments of a block each of its keepers has, as far as this node knows the ring.
    func shareSize(_ chord: Chord) -> Int { parameters.shareSize(nodes: chord.successors.count + 1) }

    /// Whether this node has fewer fragments of a block than it should.
    func lacks(_ id: ChordID, size: Int) -> Bool {
        guard tree.contains(id) else { return true }
        guard size > 1, let kept = store.read(BlockKey(id, .contentHash)) else { return false }
        return ((try? parameters.coding.share(decoding: kept.data))?.count ?? 0) < size
    }

    /// Looks for blocks of which this node has too few fragments, now that it shares them with fewer others.
    ///
    /// Not at once: a node that has just come, or that others do not hear for a moment, sees a small ring.
    mutating func topUp(_ chord: inout Chord, at now: Duration) {
        let size = shareSize(chord)
        guard let state = shares, state.size == size else {
            // There is nothing to do in a ring that has grown.
            let isLess = shares.map { size > $0.size } ?? (size > 1)
            shares = TopUp(size: size, since: now, next: isLess ? ChordID(0) : nil)
            return
        }
        guard let next = state.next, now - state.since >= parameters.replicaTimer, repairs.waiting.isEmpty else {
            return
        }
        let keys = tree.keys(from: next, through: ChordID(0).previous, limit: Self.topUpKeys)
        shares?.next = keys.count < Self.topUpKeys ? nil : keys.last?.next
        for key in keys where lacks(key, size: size) { repairs.add(key) }
        repairNext(&chord, at: now)
    }
}
