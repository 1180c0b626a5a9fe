import CFSModel
import CFSRing
import CFSSimulation
import Testing

@Suite("Rings of generation 2 with fewer nodes than a block has fragments")
struct SmallRingTests {
    private func ring(
        _ nodes: Int, seed: UInt64, rules: any BlockRules = ContentRules()
    ) -> RingSimulation {
        var parameters = DHashParameters.generation2
        // More often than real nodes compare, so that less has to be simulated.
        parameters.replicaTimer = .seconds(20)
        var ring = RingSimulation(seed: seed, parameters: .generation2, dhash: parameters)
        ring.rules = rules
        ring.grow(to: nodes, perSecond: 0.5, settle: .seconds(60))
        return ring
    }

    /// The fewest fragments of these blocks that all nodes have together.
    private func fewest(_ keys: [BlockKey], _ ring: RingSimulation) -> Int {
        let counts = keys.map { key in
            ring.living.reduce(0) { sum, index in
                let kept = ring.node(index)?.dhash.store.read(key)
                return sum + (kept.flatMap { try? CodedFragment.share(decoding: $0.data).count } ?? 0)
            }
        }
        return counts.min() ?? 0
    }

    @Test("whatever the number of nodes, blocks are kept and come back", arguments: [1, 2, 3, 5, 8, 13])
    func anyNumber(nodes: Int) {
        var ring = ring(nodes, seed: UInt64(nodes))
        let (keys, stored) = ring.insertBlocks(12, length: 2049, atATime: 4)
        #expect(stored.succeeded == 12)
        #expect(ring.fetchBlocks(keys, atATime: 4).succeeded == 12)
        #expect(fewest(keys, ring) >= min(28, 8 * nodes))
    }

    @Test("a signed block is kept by whoever there is, and by others when they come", arguments: [1, 2, 3, 4])
    func signed(nodes: Int) throws {
        var ring = ring(nodes, seed: UInt64(10 + nodes), rules: TestRules())
        let (key, data) = (TestRules.key(7), TestRules.block(7, version: 1))
        let started = ring.insert(data, key, from: 0)
        let operation = try #require(started)
        ring.run(for: .seconds(5))
        guard case .success = ring.takeInsert(operation) else {
            Issue.record("not stored")
            return
        }
        func copies() -> Int { ring.living.count { ring.node($0)?.dhash.store.read(key)?.data == data } }
        #expect(copies() == nodes)
        for _ in nodes..<6 { ring.add(at: ring.elapsed) }
        ring.run(for: .seconds(300))
        #expect(copies() >= 5)
    }

    @Test("a block counts as stored when enough of its keepers have it, while others do not answer")
    func lateKeepers() {
        var ring = ring(9, seed: 30)
        for index in ring.randomLiving(2) { ring.kill(index) }
        let began = ring.elapsed
        let (keys, stored) = ring.insertBlocks(4, length: 2049, atATime: 4)
        #expect(stored.succeeded == 4)
        // It takes 5.5 s until somebody who does not answer counts as dead.
        #expect(ring.elapsed - began < .seconds(3))
        #expect(ring.fetchBlocks(keys, atATime: 4).succeeded == 4)
    }

    @Test("a block survives as many nodes of a small ring as of a large one")
    func deaths() {
        var ring = ring(7, seed: 20)
        let (keys, stored) = ring.insertBlocks(12, length: 500, atATime: 4)
        #expect(stored.succeeded == 12)
        // Four fragments each: two nodes have eight.
        for index in ring.randomLiving(5) { ring.kill(index) }
        ring.run(for: .seconds(60))
        #expect(ring.fetchBlocks(keys, atATime: 2).succeeded == 12)
    }

    @Test("a ring that grows spreads what one node had alone, which then may go")
    func growth() {
        var ring = ring(1, seed: 21)
        let (keys, stored) = ring.insertBlocks(12, length: 2000, atATime: 1)
        #expect(stored.succeeded == 12)
        for _ in 0..<8 { ring.add(at: ring.elapsed) }
        ring.run(for: .seconds(300))
        #expect(ring.fragments(of: keys).allSatisfy { $0 == 9 })
        ring.kill(0)
        ring.run(for: .seconds(60))
        #expect(ring.fetchBlocks(keys, atATime: 4).succeeded == 12)
    }

    @Test("those that are left of a ring make more fragments, so that more may go")
    func shrinking() {
        var ring = ring(14, seed: 22)
        let (keys, stored) = ring.insertBlocks(12, length: 500, atATime: 4)
        #expect(stored.succeeded == 12)
        for index in ring.randomLiving(8) { ring.kill(index) }
        ring.run(for: .seconds(300))
        #expect(fewest(keys, ring) >= 28)
        for index in ring.randomLiving(4) { ring.kill(index) }
        ring.run(for: .seconds(60))
        #expect(ring.fetchBlocks(keys, atATime: 2).succeeded == 12)
    }
}
