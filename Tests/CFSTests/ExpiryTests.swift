import CFSModel
import CFSRing
import CFSSimulation
import Testing

@Suite("Blocks of generation 2")
struct ExpiryTests {
    /// Fewer fragments than real nodes make, so that a small ring is enough.
    private static var parameters: DHashParameters {
        var parameters = DHashParameters.generation2
        parameters.fragments = 10
        parameters.fragmentsNeeded = 4
        parameters.sourcesToBegin = 6
        parameters.replicaTimer = .seconds(30)
        parameters.expiryTimer = .seconds(20)
        parameters.secondsAtZero = 1_200_000_000
        return parameters
    }

    private func ring(_ nodes: Int, seed: UInt64, loss: Double = 0) -> RingSimulation {
        var chord = ChordParameters.generation2
        chord.neighbours = 12
        var network = Network.realistic
        network.loss = loss
        var ring = RingSimulation(seed: seed, network: network, parameters: chord, dhash: Self.parameters)
        ring.rules = TestRules()
        ring.grow(to: nodes, perSecond: 0.5, settle: .seconds(60))
        return ring
    }

    /// The time of day in a simulation, in seconds since 1970.
    private func seconds(_ ring: RingSimulation) -> UInt32 { UInt32(1_200_000_000 + ring.elapsed.components.seconds) }

    private func insert(
        _ data: [UInt8], _ key: BlockKey, until expiration: UInt32, _ ring: inout RingSimulation
    ) -> Result<[ChordNode], DHashFailure>? {
        let operation = ring.insert(data, key, expiration: expiration, from: ring.randomLiving(1)[0])
        var result: Result<[ChordNode], DHashFailure>?
        ring.run(atMost: .seconds(60)) { ring in
            result = operation.flatMap { ring.takeInsert($0) }
            return result != nil
        }
        return result
    }

    private func fetch(_ key: BlockKey, _ ring: inout RingSimulation) -> Result<FetchedBlock, DHashFailure>? {
        let operation = ring.fetch(key, from: ring.randomLiving(1)[0])
        var result: Result<FetchedBlock, DHashFailure>?
        ring.run(atMost: .seconds(120)) { ring in
            result = operation.flatMap { ring.takeFetch($0) }
            return result != nil
        }
        return result
    }

    @Test("blocks of any length are stored on ten nodes and come back, with their time")
    func lengths() throws {
        var ring = ring(20, seed: 1)
        for length in [0, 1, 2048, 30_000] {
            let data = ring.randomBlock(length: length)
            let key = BlockKey(ChordID(hashing: data), .contentHash)
            #expect(throws: Never.self) { try insert(data, key, until: 2_000_000_000, &ring)?.get() }
            // It counts as stored before the last ones have theirs.
            ring.run(for: .seconds(1))
            #expect(ring.fragments(of: [key]) == [10])
            let found = try #require(try fetch(key, &ring)?.get())
            #expect(found.data == data && found.expiration == 2_000_000_000)
        }
    }

    @Test("no block is lost when a quarter dies at once, with messages lost too; the fragments are made anew")
    func repair() {
        var ring = ring(28, seed: 2, loss: 0.02)
        let (keys, stored) = ring.insertBlocks(20, length: 1000, atATime: 20)
        #expect(stored.succeeded == 20)
        for index in ring.randomLiving(7) { ring.kill(index) }
        // Nobody knows yet who is dead.
        #expect(ring.fetchBlocks(keys, atATime: 20).succeeded == 20)
        ring.run(for: .seconds(400))
        #expect(ring.fragments(of: keys).allSatisfy { $0 >= 10 })
        #expect(ring.counters().repaired > 0)
    }

    @Test("a block is dropped by all when its time is over, and repair does not bring it back")
    func expiry() throws {
        var ring = ring(16, seed: 3)
        let data = ring.randomBlock(length: 500)
        let (key, signed) = (BlockKey(ChordID(hashing: data), .contentHash), TestRules.key(1))
        let end = seconds(ring) + 100
        #expect(throws: Never.self) { try insert(data, key, until: end, &ring)?.get() }
        #expect(throws: Never.self) { try insert(TestRules.block(1, version: 1), signed, until: end, &ring)?.get() }
        #expect(try fetch(signed, &ring)?.get().expiration == end)
        ring.run(for: .seconds(140))
        #expect(ring.fragments(of: [key]) == [0])
        #expect(fetch(key, &ring) == .failure(.noEntry))
        #expect(fetch(signed, &ring) == .failure(.noEntry))
        #expect(ring.counters().expired >= 15)
    }

    @Test("a block that is stored again stays for longer, and never for less")
    func refreshed() throws {
        var ring = ring(16, seed: 4)
        let data = ring.randomBlock(length: 500)
        let (key, signed) = (BlockKey(ChordID(hashing: data), .contentHash), TestRules.key(1))
        let block = TestRules.block(1, version: 1)
        let (early, late) = (seconds(ring) + 100, seconds(ring) + 5000)
        for end in [early, late, early] {
            #expect(throws: Never.self) { try insert(data, key, until: end, &ring)?.get() }
            #expect(throws: Never.self) { try insert(block, signed, until: end, &ring)?.get() }
        }
        ring.run(for: .seconds(200))
        #expect(ring.fragments(of: [key]) == [10])
        #expect(try fetch(key, &ring)?.get().expiration == late)
        #expect(try fetch(signed, &ring)?.get().expiration == late)
    }

    @Test("what has expired already is not stored")
    func past() {
        var ring = ring(8, seed: 5)
        let data = ring.randomBlock(length: 5)
        let key = BlockKey(ChordID(hashing: data), .contentHash)
        #expect(insert(data, key, until: seconds(ring) - 1, &ring) == .failure(.error))
        #expect(insert(data, key, until: 1, &ring) == .failure(.error))
    }

    @Test("a keeper refuses a fragment of the other generation, and one whose time is over")
    func refusals() throws {
        var random = seeded()
        let nodes = try (0..<2).map { ChordNode(try #require(RingSimulation.address($0))) }
        var keeper = RingNode(me: nodes[0], store: MemoryStore(), chord: .generation2, dhash: Self.parameters)
        func say(_ data: [UInt8], until expiration: UInt32) -> DHashReply? {
            let key = BlockKey(ChordID(5), .contentHash)
            let request = StoreRequest(
                key: key, purpose: .fragment, size: data.count, offset: 0, data: data, expiration: expiration)
            let actions = keeper.answer(
                .dhash(.store(request)), from: nodes[1], ticket: Ticket(1), at: .seconds(10), using: &random)
            for case .answer(_, .dhash(let reply)) in actions { return reply }
            return nil
        }
        let old = Dispersal.fragments(of: [1, 2, 3], needed: 2, count: 1, using: &random)[0].encoded
        let new = SystematicCode.fragments(of: [1, 2, 3], needed: 2, count: 1)[0].encoded
        #expect(say(old, until: 0) == .failed(.error))
        #expect(say(new, until: 1_200_000_010) == .failed(.error))
        #expect(say(new, until: 1_200_000_011) == .stored(wasPresent: false, isDone: true))
        #expect(say(new, until: 0) == .stored(wasPresent: true, isDone: true))
    }
}
