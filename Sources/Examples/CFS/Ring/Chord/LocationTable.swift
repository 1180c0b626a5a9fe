import CFSModel

/// The nodes that one node knows, in the order of the ring (CFS 2004, `locationtable`).
///
/// Successors, predecessors and fingers are not kept anywhere else: they are whoever is nearest here, and alive.
struct LocationTable: Sendable {
    private struct Location: Sendable {
        var node: ChordNode
        /// Since when it does not answer; nil while it does.
        var deadSince: Duration?
        /// Counts up with each use: the smallest one was not of use for longest.
        var used: UInt64
    }

    private let me: ChordNode
    private let capacity: Int
    private let neighbours: Int
    private let deadAtLeast: Duration
    /// In ascending order of the ids, this node among them.
    private var locations: [Location]
    private var uses: UInt64 = 0

    init(me: ChordNode, parameters: ChordParameters) {
        self.me = me
        capacity = parameters.locations
        neighbours = parameters.neighbours
        deadAtLeast = parameters.deadAtLeast
        locations = [Location(node: me, used: .max)]
    }

    /// The node with this id, dead or alive.
    func node(_ id: ChordID) -> ChordNode? {
        let index = position(of: id)
        return index < locations.count && locations[index].node.id == id ? locations[index].node : nil
    }

    /// Whether it is known that this one does not answer.
    func isDead(_ id: ChordID) -> Bool {
        let index = position(of: id)
        return index < locations.count && locations[index].node.id == id && locations[index].deadSince != nil
    }

    /// Everybody but this node, and since when they do not answer.
    var all: [(node: ChordNode, deadSince: Duration?)] {
        locations.compactMap { $0.node.id == me.id ? nil : ($0.node, $0.deadSince) }
    }

    /// The first one alive at `id` or behind it; this node if there is no other.
    func successor(of id: ChordID) -> ChordNode {
        var index = position(of: id)
        for _ in locations {
            if index == locations.count { index = 0 }
            if locations[index].deadSince == nil { return locations[index].node }
            index += 1
        }
        return me
    }

    /// The nearest ones alive behind `id`, `count` at most, without this node.
    func successors(of id: ChordID, count: Int) -> [ChordNode] {
        var found: [ChordNode] = []
        found.reserveCapacity(count)
        var index = position(of: id.next)
        for _ in locations where found.count < count {
            if index == locations.count { index = 0 }
            if locations[index].deadSince == nil, locations[index].node.id != me.id {
                found.append(locations[index].node)
            }
            index += 1
        }
        return found
    }

    /// The nearest ones alive before `id`, `count` at most, without this node.
    func predecessors(of id: ChordID, count: Int) -> [ChordNode] {
        var found: [ChordNode] = []
        found.reserveCapacity(count)
        var index = position(of: id)
        for _ in locations where found.count < count {
            index = index == 0 ? locations.count - 1 : index - 1
            if locations[index].deadSince == nil, locations[index].node.id != me.id {
                found.append(locations[index].node)
            }
        }
        return found
    }

    /// Takes a node in that was heard of, and says whether it is new.
    ///
    /// Who was found dead stays so for a minute whatever others say, because they may not have noticed yet.
    @discardableResult
    mutating func insert(_ node: ChordNode, at now: Duration) -> Bool {
        let index = position(of: node.id)
        uses += 1
        guard index == locations.count || locations[index].node.id != node.id else {
            if let since = locations[index].deadSince, now - since > deadAtLeast { locations[index].deadSince = nil }
            if node.id != me.id { locations[index].used = uses }
            return false
        }
        locations.insert(Location(node: node, used: uses), at: index)
        if locations.count > capacity { evict() }
        return true
    }

    /// Notes that a node does not answer; false if that was known.
    mutating func markDead(_ node: ChordNode, at now: Duration) -> Bool {
        guard node.id != me.id else { return false }
        insert(node, at: now)
        let index = position(of: node.id)
        guard index < locations.count, locations[index].node.id == node.id, locations[index].deadSince == nil else {
            return false
        }
        locations[index].deadSince = now
        return true
    }

    /// Notes that a node answered.
    mutating func markAlive(_ node: ChordNode, at now: Duration) {
        insert(node, at: now)
        let index = position(of: node.id)
        if index < locations.count, locations[index].node.id == node.id { locations[index].deadSince = nil }
    }

    /// Notes where a node believes to be, if it is one of these.
    mutating func note(_ coordinates: Coordinates, of id: ChordID) {
        let index = position(of: id)
        if index < locations.count, locations[index].node.id == id { locations[index].node.coordinates = coordinates }
    }

    /// The index of the first one at `id` or above.
    private func position(of id: ChordID) -> Int {
        var low = 0
        var high = locations.count
        while low < high {
            let middle = (low + high) / 2
            if locations[middle].node.id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Forgets those that were of no use for longest, the dead ones first; never neighbours and fingers.
    ///
    /// A sixteenth goes at once, so that finding out whom to keep is not done for each newcomer.
    private mutating func evict() {
        var kept: Set<ChordID> = [me.id]
        for node in successors(of: me.id, count: neighbours) { kept.insert(node.id) }
        for node in predecessors(of: me.id, count: neighbours) { kept.insert(node.id) }
        for exponent in 0..<ChordID.bitCount { kept.insert(successor(of: me.id &+ .power(ofTwo: exponent)).id) }
        let candidates = locations.filter { !kept.contains($0.node.id) }
            .sorted { ($0.deadSince == nil ? 1 : 0, $0.used) < ($1.deadSince == nil ? 1 : 0, $1.used) }
        let gone = Set(candidates.prefix(locations.count - capacity + capacity / 16).map(\.node.id))
        locations.removeAll { gone.contains($0.node.id) }
    }
}
