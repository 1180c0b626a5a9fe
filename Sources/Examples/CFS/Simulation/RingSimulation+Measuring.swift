public import CFSModel
import CFSRing

/// What a simulated ring is compared with, and what is counted on it.
extension RingSimulation {
    /// How much of what nodes know is right.
    public struct Correctness: Equatable, Sendable {
        /// Nodes that live.
        public var nodes = 0
        /// Those whose successor is the next one that lives.
        public var successors = 0
        /// Those whose predecessor is right.
        public var predecessors = 0
        /// Those whose whole list of successors is right.
        public var lists = 0
        /// The share of right fingers, of all different ones.
        public var fingers = 0.0

        /// Whether every node knows its neighbours.
        public var isRing: Bool { successors == nodes && predecessors == nodes && lists == nodes }
    }

    /// Compares what every node knows with what is so.
    public func correctness() -> Correctness {
        let ring = living.compactMap { node($0) }.sorted { $0.chord.me.id < $1.chord.me.id }
        let ids = ring.map(\.chord.me.id)
        var result = Correctness(nodes: ring.count)
        guard ring.count > 1 else { return Correctness(nodes: 1, successors: 1, predecessors: 1, lists: 1, fingers: 1) }
        var (right, all) = (0, 0)
        for (index, node) in ring.enumerated() {
            let chord = node.chord
            let count = min(chord.parameters.neighbours, ring.count - 1)
            let truth = (1...count).map { ids[(index + $0) % ids.count] }
            if chord.successor.id == truth[0] { result.successors += 1 }
            if chord.predecessor.id == ids[(index + ids.count - 1) % ids.count] { result.predecessors += 1 }
            if chord.successors.map(\.id) == truth { result.lists += 1 }
            let known = Set(chord.fingers.map(\.id))
            if chord.parameters.routing == .recursive {
                let (good, possible) = Self.slots(of: chord, ids)
                right += good
                all += possible
                continue
            }
            let fingers = Set((0..<ChordID.bitCount).map { Self.owner(of: chord.me.id &+ .power(ofTwo: $0), ids) })
            all += fingers.count
            right += fingers.intersection(known).count
        }
        result.fingers = Double(right) / Double(max(1, all))
        return result
    }

    private static func firstLiving(of nodes: [ChordNode], _ sorted: [ChordID]) -> ChordID? {
        nodes.first { owner(of: $0.id, sorted) == $0.id }?.id
    }

    /// How many slots of fingers have a node that lives, and in how many there is one.
    private static func slots(of chord: Chord, _ ids: [ChordID]) -> (right: Int, possible: Int) {
        var result = (0, 0)
        for slot in chord.fingerSlots {
            let owner = owner(of: slot.start, ids)
            guard owner.isFrom(slot.start, through: slot.end) else { continue }
            result.1 += 1
            if let node = slot.node, owner.isFrom(slot.start, through: node.id), Self.owner(of: node.id, ids) == node.id
            {
                result.0 += 1
            }
        }
        return result
    }

    /// Who of these, in ascending order, has an id.
    public static func owner(of id: ChordID, _ sorted: [ChordID]) -> ChordID {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < id { low = middle + 1 } else { high = middle }
        }
        return sorted[low == sorted.count ? 0 : low]
    }

    /// What many lookups took.
    public struct Hops: Sendable {
        /// Lookups whose answer has the right node as the first one that lives: who asks for a block goes on to that one.
        public var right = 0
        /// Lookups that found another.
        public var wrong = 0
        /// Lookups that found nothing.
        public var failed = 0
        /// How many lookups asked so many nodes.
        public var histogram: [Int: Int] = [:]
        /// How long each that found somebody took.
        public var times: [Duration] = []

        /// Lookups.
        public var count: Int { right + wrong + failed }
        /// Nodes asked on average by those that found somebody.
        public var mean: Double {
            let found = histogram.values.reduce(0, +)
            return Double(histogram.reduce(0) { $0 + $1.key * $1.value }) / Double(max(1, found))
        }

        /// How long it took at most for this share of those that found somebody.
        public func time(of share: Double) -> Duration {
            let sorted = times.sorted()
            guard let last = sorted.indices.last else { return .zero }
            return sorted[min(last, max(0, Int(Double(sorted.count) * share)))]
        }
    }

    /// Looks random ids up from random nodes, one after the other on each, all at once on different ones.
    ///
    /// - Parameters:
    ///   - count: How many lookups.
    ///   - wanted: How many successors each wants; nil to ask the predecessor itself.
    public mutating func measureLookups(_ count: Int, wanted: Int? = nil) -> Hops {
        let ids = living.compactMap { node($0)?.chord.me.id }.sorted()
        var hops = Hops()
        while hops.count < count {
            var open: [Lookup: ChordID] = [:]
            for index in randomLiving(min(count - hops.count, 1000)) {
                let target = randomID()
                if let lookup = lookUp(target, from: index, wanted: wanted) { open[lookup] = target }
            }
            guard !open.isEmpty else { return hops }
            let begin = elapsed
            run(atMost: .seconds(120)) { simulation in
                for lookup in simulation.lookups.keys {
                    guard let target = open.removeValue(forKey: lookup),
                        let result = simulation.takeResult(of: lookup)
                    else { continue }
                    switch result {
                    case .success(let found):
                        let isRight = Self.firstLiving(of: found.successors, ids) == Self.owner(of: target, ids)
                        if isRight { hops.right += 1 } else { hops.wrong += 1 }
                        hops.histogram[found.questions, default: 0] += 1
                        hops.times.append(simulation.elapsed - begin)
                    case .failure: hops.failed += 1
                    }
                }
                return open.isEmpty
            }
            hops.failed += open.count
        }
        return hops
    }

    /// Adds nodes the way a ring grows: a few first, then a share of those there each second.
    ///
    /// - Parameters:
    ///   - count: How many nodes there are in the end.
    ///   - perSecond: How many come each second, as a share of those that are there.
    ///   - settle: How long they have to find each other after the last one came.
    public mutating func grow(to count: Int, perSecond: Double = 0.02, settle: Duration) {
        var time = elapsed
        for index in 0..<count {
            add(at: time)
            time += .milliseconds(Int64(1000 / max(2, Double(index) * perSecond)))
        }
        run(for: time - elapsed + settle)
    }
}
