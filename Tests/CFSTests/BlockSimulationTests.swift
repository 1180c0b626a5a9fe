import CFSModel
import CFSRing
import CFSSimulation
import Testing

@Suite("Blocks on simulated rings")
struct BlockSimulationTests {
    private func ring(_ nodes: Int, seed: UInt64, loss: Double = 0) -> RingSimulation {
        var network = Network()
        network.loss = loss
        // More often than real nodes compare, so that less has to be simulated.
        var parameters = DHashParameters()
        parameters.replicaTimer = .seconds(40)
        var ring = RingSimulation(seed: seed, network: network, dhash: parameters)
        ring.rules = TestRules()
        ring.grow(to: nodes, perSecond: 0.2, settle: .seconds(120))
        return ring
    }

    private func insert(_ data: [UInt8], _ key: BlockKey, _ ring: inout RingSimulation) -> Result<
        [ChordNode], DHashFailure
    >? {
        let index = ring.randomLiving(1)[0]
        guard let operation = ring.insert(data, key, from: index) else { return nil }
        var result: Result<[ChordNode], DHashFailure>?
        ring.run(atMost: .seconds(300)) { ring in
            result = ring.takeInsert(operation)
            return result != nil
        }
        return result
    }

    private func fetch(_ key: BlockKey, _ ring: inout RingSimulation) -> Result<FetchedBlock, DHashFailure>? {
        let index = ring.randomLiving(1)[0]
        guard let operation = ring.fetch(key, from: index) else { return nil }
        var result: Result<FetchedBlock, DHashFailure>?
        ring.run(atMost: .seconds(300)) { ring in
            result = ring.takeFetch(operation)
            return result != nil
        }
        return result
    }

    @Test("blocks of any length are stored as fourteen fragments and come back", arguments: [0, 1, 2048, 8192, 30_000])
    func lengths(length: Int) throws {
        var ring = ring(20, seed: UInt64(length))
        let data = ring.randomBlock(length: length)
        let key = BlockKey(ChordID(hashing: data), .contentHash)
        guard case .success(let path) = insert(data, key, &ring) else {
            Issue.record("not stored")
            return
        }
        #expect(!path.isEmpty)
        #expect(ring.fragments(of: [key]) == [14])
        #expect(try fetch(key, &ring)?.get().data == data)
    }

    @Test("a ring loses no block when as many nodes die as fragments can be spared, and makes the fragments anew")
    func repair() {
        var ring = ring(40, seed: 2)
        let (keys, stored) = ring.insertBlocks(60, length: 2048, atATime: 20)
        #expect(stored.succeeded == 60)
        for index in ring.randomLiving(10) { ring.kill(index) }
        ring.run(for: .seconds(800))
        #expect(ring.fragments(of: keys).allSatisfy { $0 >= 14 })
        #expect(ring.fetchBlocks(keys, atATime: 20).succeeded == 60)
        #expect(ring.counters().repaired > 0)
    }

    @Test("a newcomer gets the fragments that it should have, and the one too far away gives its away")
    func newcomers() {
        var ring = ring(20, seed: 3)
        let (keys, _) = ring.insertBlocks(30, length: 1000, atATime: 10)
        for _ in 0..<15 { ring.add(at: ring.elapsed) }
        ring.run(for: .seconds(900))
        #expect(ring.correctness().isRing)
        #expect(ring.fragments(of: keys).allSatisfy { $0 >= 14 })
        #expect(ring.counters().handedOver > 0)
        #expect(ring.fetchBlocks(keys, atATime: 10).succeeded == 30)
    }

    @Test("a ring that loses messages stores and fetches all the same")
    func loss() {
        var ring = ring(25, seed: 4, loss: 0.03)
        let (keys, stored) = ring.insertBlocks(30, length: 8192, atATime: 10)
        #expect(stored.succeeded == 30)
        #expect(ring.fetchBlocks(keys, atATime: 10).succeeded == 30)
    }

    @Test("a block named by a key is on five nodes, stays there when they die, and only grows newer")
    func wholeBlocks() throws {
        var ring = ring(25, seed: 5)
        let key = TestRules.key(7)
        func copies() -> [[UInt8]] { ring.living.compactMap { ring.node($0)?.dhash.store.read(key)?.data } }
        let first = TestRules.block(7, version: 1, [UInt8](repeating: 1, count: 3000))
        #expect(throws: Never.self) { try insert(first, key, &ring)?.get() }
        #expect(copies().count == 5)
        let second = TestRules.block(7, version: 2)
        #expect(throws: Never.self) { try insert(second, key, &ring)?.get() }
        #expect(insert(first, key, &ring) == .failure(.stale))
        #expect(try fetch(key, &ring)?.get().data == second)
        // Three of the five.
        let keepers = ring.living.filter { ring.node($0)?.dhash.store.read(key) != nil }
        for index in keepers.prefix(3) { ring.kill(index) }
        ring.run(for: .seconds(300))
        #expect(copies().count >= 5)
        #expect(copies().allSatisfy { $0 == second })
        #expect(try fetch(key, &ring)?.get().data == second)
    }

    @Test("a block that is not there is looked for, and not found")
    func missing() {
        var ring = ring(20, seed: 6)
        #expect(fetch(BlockKey(ChordID(5), .contentHash), &ring) == .failure(.noEntry))
        #expect(fetch(TestRules.key(200), &ring) == .failure(.noEntry))
    }

    @Test("a block that is not what its name says is not stored")
    func wrongName() {
        var ring = ring(10, seed: 7)
        #expect(insert([1, 2, 3], BlockKey(ChordID(5), .contentHash), &ring) == .failure(.storeNotVerified))
        #expect(insert([1, 2, 9], TestRules.key(1), &ring) == .failure(.storeNotVerified))
    }

    @Test("a ring too small for seven fragments stores none")
    func smallRing() throws {
        var small = ring(5, seed: 8)
        let data: [UInt8] = [1, 2, 3]
        let key = BlockKey(ChordID(hashing: data), .contentHash)
        #expect(insert(data, key, &small) == .failure(.storeError))
        var seven = ring(7, seed: 9)
        #expect(throws: Never.self) { try insert(data, key, &seven)?.get() }
        #expect(seven.fragments(of: [key]) == [7])
        #expect(try fetch(key, &seven)?.get().data == data)
    }
}
