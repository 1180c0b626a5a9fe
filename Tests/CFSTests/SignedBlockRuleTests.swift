import CFSBlocks
import CFSGeneration1
import CFSModel
import CFSRing
import CFSSimulation
import NIOCore
import Testing

/// Goal: of a block that is named by a key the ring keeps the last version that the key's owner signed, whatever it is sent.
struct SignedBlockRuleTests {
    private func block(_ text: String, version: UInt32, key: UInt8 = 1) throws -> (key: BlockKey, bytes: [UInt8]) {
        let signingKey = try #require(SigningKey(seed: Array(repeating: key, count: 32)))
        let block = SignedBlock(ByteBuffer(string: text), version: version, by: signingKey)
        return (BlockKey(block.name, .keyHash), Array(try block.bytes.readableBytesView))
    }

    /// Ten nodes that know each other.
    private func ring() -> RingSimulation {
        var simulation = RingSimulation(seed: 4)
        simulation.rules = SignedBlockRules()
        for index in 0..<10 { simulation.add(at: .seconds(index)) }
        simulation.run(for: .seconds(300))
        return simulation
    }

    private func insert(
        _ block: (key: BlockKey, bytes: [UInt8]), _ simulation: inout RingSimulation, from node: Int = 0
    ) throws -> DHashFailure? {
        let operation = simulation.insert(block.bytes, block.key, from: node)
        let name = try #require(operation)
        simulation.run(atMost: .seconds(120)) { $0.inserts[name] != nil }
        let result = simulation.takeInsert(name)
        switch try #require(result) {
        case .success: return nil
        case .failure(let failure): return failure
        }
    }

    private func fetch(_ key: BlockKey, _ simulation: inout RingSimulation, from node: Int) throws -> [UInt8]? {
        let operation = simulation.fetch(key, from: node)
        let name = try #require(operation)
        simulation.run(atMost: .seconds(120)) { $0.fetches[name] != nil }
        return try? simulation.takeFetch(name)?.get().data
    }

    @Test("a block is right by its key's signature, under its key's name, and not under another one")
    func rules() throws {
        let rules = SignedBlockRules()
        let block = try block("root", version: 3)
        #expect(rules.isRight(block.bytes, block.key))
        #expect(rules.version(of: block.bytes) == 3)
        #expect(!rules.isRight(block.bytes, try self.block("root", version: 3, key: 2).key))
        #expect(!rules.isRight(block.bytes, BlockKey(block.key.id, .contentHash)))
        var forged = block.bytes
        forged[forged.count - 8] ^= 1
        #expect(!rules.isRight(forged, block.key))
        #expect(!rules.isRight([], block.key) && rules.version(of: []) == nil)
        #expect(rules.isRight([1, 2], BlockKey(ChordID(hashing: [1, 2]), .contentHash)))
    }

    @Test("a newer version takes the place of an older one, an older or equal one is refused as stale")
    func versions() throws {
        var simulation = ring()
        #expect(try insert(block("first", version: 10), &simulation) == nil)
        #expect(try insert(block("second", version: 11), &simulation, from: 3) == nil)
        #expect(try insert(block("older", version: 10), &simulation, from: 5) == .stale)
        #expect(try insert(block("as old", version: 11), &simulation, from: 5) == .stale)
        let second = try block("second", version: 11)
        for node in [0, 4, 9] { #expect(try fetch(second.key, &simulation, from: node) == second.bytes) }
    }

    @Test("a block that its key did not sign is refused, and what is there stays")
    func forged() throws {
        var simulation = ring()
        let right = try block("right", version: 10)
        #expect(try insert(right, &simulation) == nil)
        var forged = try block("other", version: 11)
        forged.bytes[forged.bytes.count - 8] ^= 1
        #expect(try insert(forged, &simulation, from: 2) == .storeNotVerified)
        let another = try block("other", version: 11, key: 2)
        #expect(try insert((right.key, another.bytes), &simulation, from: 2) == .storeNotVerified)
        #expect(try fetch(right.key, &simulation, from: 6) == right.bytes)
    }

    @Test("a newer version reaches replicas that missed it")
    func repair() throws {
        var simulation = ring()
        #expect(try insert(block("first", version: 10), &simulation) == nil)
        let second = try block("second", version: 11)
        #expect(try insert(second, &simulation, from: 3) == nil)
        // The first keepers die one after the other: those that follow have the newest.
        for _ in 0..<3 {
            simulation.run(for: .seconds(600))
            let keepers = simulation.living.filter { index in
                guard let node = simulation.node(index) else { return false }
                return node.chord.isResponsible(for: second.key.id)
            }
            let keeper = try #require(keepers.first)
            simulation.kill(keeper)
        }
        simulation.run(for: .seconds(600))
        let node = try #require(simulation.living.first)
        #expect(try fetch(second.key, &simulation, from: node) == second.bytes)
    }
}
