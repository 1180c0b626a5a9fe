import CFSModel
public import CFSRing

/// Blocks on a simulated ring.
extension RingSimulation {
    /// What became of many operations.
    public struct Outcome: Equatable, Sendable {
        /// Those that did what they should.
        public var succeeded = 0
        /// Why others did not.
        public var failures: [DHashFailure: Int] = [:]
        /// Those that never ended.
        public var open = 0
    }

    /// Stores random blocks from random nodes, so many at a time.
    ///
    /// - Returns: The names of those that were stored, and what became of all.
    public mutating func insertBlocks(
        _ count: Int, length: Int, atATime: Int = 100
    ) -> (keys: [BlockKey], outcome: Outcome) {
        var outcome = Outcome()
        var stored: [BlockKey] = []
        var made = 0
        while made < count {
            var open: [Operation: BlockKey] = [:]
            for index in randomLiving(min(atATime, count - made)) {
                let data = randomBlock(length: length)
                let key = BlockKey(ChordID(hashing: data), .contentHash)
                if let operation = insert(data, key, from: index) { open[operation] = key }
                made += 1
            }
            run(atMost: .seconds(120)) { simulation in
                for operation in simulation.inserts.keys {
                    guard let result = simulation.takeInsert(operation), let key = open.removeValue(forKey: operation)
                    else { continue }
                    switch result {
                    case .success:
                        stored.append(key)
                        outcome.succeeded += 1
                    case .failure(let failure): outcome.failures[failure, default: 0] += 1
                    }
                }
                return open.isEmpty
            }
            outcome.open += open.count
        }
        return (stored.sorted { $0.id < $1.id }, outcome)
    }

    /// Fetches blocks from random nodes; what the state machines call success was checked against the name.
    public mutating func fetchBlocks(_ keys: [BlockKey], atATime: Int = 100) -> Outcome {
        var outcome = Outcome()
        var rest = keys[...]
        while !rest.isEmpty {
            var open: Set<Operation> = []
            for index in randomLiving(min(atATime, rest.count)) {
                if let key = rest.popFirst(), let operation = fetch(key, from: index) { open.insert(operation) }
            }
            run(atMost: .seconds(300)) { simulation in
                for operation in simulation.fetches.keys {
                    guard let result = simulation.takeFetch(operation), open.remove(operation) != nil else { continue }
                    switch result {
                    case .success: outcome.succeeded += 1
                    case .failure(let failure): outcome.failures[failure, default: 0] += 1
                    }
                }
                return open.isEmpty
            }
            outcome.open += open.count
        }
        return outcome
    }

    /// How many nodes that live have a fragment of each of these blocks.
    public func fragments(of keys: [BlockKey]) -> [Int] {
        var counts: [ChordID: Int] = [:]
        for index in living {
            guard let node = node(index) else { continue }
            for key in node.dhash.tree.keys(from: ChordID(0), through: ChordID(0).previous) {
                counts[key, default: 0] += 1
            }
        }
        return keys.map { counts[$0.id, default: 0] }
    }

    /// What all nodes that live counted.
    public func counters() -> DHashCounters {
        living.reduce(into: DHashCounters()) { sum, index in if let node = node(index) { sum.add(node.dhash.counters) }
        }
    }
}
