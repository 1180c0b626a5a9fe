import CFSModel
import CFSRing
import CFSSimulation
import Synchronization
import Testing

/// Blocks named by a key, as simple as they can be: the name is the hash of the first byte, the second byte is the version, the
/// third is the signature, which must be the sum of the others.
struct TestRules: BlockRules {
    func isRight(_ data: [UInt8], _ key: BlockKey) -> Bool {
        guard key.type == .keyHash else { return isRightWithoutKey(data, key) }
        guard data.count >= 3 else { return false }
        let sum = data.reduce(0) { $0 &+ $1 } &- data[2]
        return ChordID(hashing: data.prefix(1)) == key.id && data[2] == sum
    }

    func version(of data: [UInt8]) -> Int64? { data.count >= 3 ? Int64(data[1]) : nil }

    static func block(_ owner: UInt8, version: UInt8, _ content: [UInt8] = []) -> [UInt8] {
        [owner, version, ([owner, version] + content).reduce(0) { $0 &+ $1 }] + content
    }

    static func key(_ owner: UInt8) -> BlockKey { BlockKey(ChordID(hashing: [owner]), .keyHash) }
}

/// A store that says how often somebody looked what it has of a block.
private struct WatchedStore: BlockStore {
    final class Looks: Sendable {
        private let value = Mutex(0)
        var count: Int { value.withLock { $0 } }
        func note() { value.withLock { $0 += 1 } }
    }

    let looks = Looks()
    private var store = MemoryStore()

    func read(_ key: BlockKey) -> KeptBlock? {
        looks.note()
        return store.read(key)
    }

    mutating func write(_ block: KeptBlock, for key: BlockKey) throws(BlockStoreError) {
        looks.note()
        try store.write(block, for: key)
    }

    mutating func add(_ block: KeptBlock, for key: BlockKey) throws(BlockStoreError) {
        try store.write(block, for: key)
    }

    mutating func remove(_ key: BlockKey) { store.remove(key) }

    func keys(of type: BlockType, after id: ChordID?, limit: Int) -> [ChordID] {
        store.keys(of: type, after: id, limit: limit)
    }

    func expired(_ type: BlockType, at time: Int64, limit: Int) -> [ChordID] {
        store.expired(type, at: time, limit: limit)
    }
}

@Suite("One keeper of blocks")
struct DHashTests {
    typealias Node = RingNode

    private func node(_ index: Int) -> ChordNode? { RingSimulation.address(index).map { ChordNode($0) } }

    /// A node alone, which is responsible for everything.
    private func keeper(capacity: Int = 1 << 20) throws -> Node {
        Node(me: try #require(node(0)), store: MemoryStore(capacity: capacity), rules: TestRules())
    }

    private func say(_ request: DHashRequest, to keeper: inout Node, from index: Int = 1) throws -> DHashReply {
        var random = seeded()
        let asker = try #require(node(index))
        let actions = keeper.answer(.dhash(request), from: asker, ticket: Ticket(1), at: .zero, using: &random)
        for case .answer(_, .dhash(let reply)) in actions { return reply }
        throw Missing()
    }

    private struct Missing: Error {}

    private func fragment(of block: [UInt8], seed: UInt64 = 1) -> [UInt8] {
        var random = seeded(seed)
        return Dispersal.fragments(of: block, needed: 2, count: 1, using: &random)[0].encoded
    }

    private func store(
        _ data: [UInt8], _ key: BlockKey, _ purpose: StorePurpose, offset: Int = 0, size: Int? = nil
    ) -> DHashRequest {
        .store(StoreRequest(key: key, purpose: purpose, size: size ?? data.count, offset: offset, data: data))
    }

    @Test("a fragment is kept and given back, in pieces of any size")
    func keeping() throws {
        var keeper = try keeper()
        let block = [UInt8](0...255)
        let key = BlockKey(ChordID(hashing: block), .contentHash)
        let fragment = fragment(of: block)
        #expect(try say(store(fragment, key, .fragment), to: &keeper) == .stored(wasPresent: false, isDone: true))
        #expect(try say(store(fragment, key, .fragment), to: &keeper) == .stored(wasPresent: true, isDone: true))
        #expect(keeper.dhash.tree.contains(key.id))
        var bytes: [UInt8] = []
        var cookie: Int32 = 0
        while bytes.count < fragment.count {
            let request = FetchRequest(key: key, isFragment: true, start: bytes.count, length: 50, cookie: cookie)
            guard case .piece(let piece, let offset, let size, let new, _) = try say(.fetch(request), to: &keeper)
            else {
                Issue.record("no piece")
                return
            }
            #expect(offset == bytes.count && size == fragment.count)
            bytes += piece
            cookie = new
        }
        #expect(bytes == fragment)
    }

    @Test("a fragment that a node lacks is kept, and not found, without a look at the store")
    func noLooks() throws {
        var keeper = Node(me: try #require(node(0)), store: WatchedStore(), rules: TestRules())
        func looks() -> Int? { (keeper.dhash.store as? WatchedStore)?.looks.count }
        let block = [UInt8](0...255)
        let key = BlockKey(ChordID(hashing: block), .contentHash)
        let fragment = fragment(of: block)
        let fetch = DHashRequest.fetch(FetchRequest(key: key, isFragment: true, start: 0, length: 50, cookie: 0))
        #expect(try say(fetch, to: &keeper) == .failed(.noEntry))
        #expect(try say(store(fragment, key, .fragment), to: &keeper) == .stored(wasPresent: false, isDone: true))
        #expect(looks() == 0)
        #expect(try say(store(fragment, key, .fragment), to: &keeper) == .stored(wasPresent: true, isDone: true))
        #expect(looks() == 1)
    }

    @Test("pieces may come in any order, and again")
    func pieces() throws {
        var keeper = try keeper()
        let block = [UInt8](repeating: 7, count: 3000)
        let key = BlockKey(ChordID(hashing: block), .contentHash)
        let fragment = fragment(of: block)
        var random = seeded(2)
        let starts = Array(stride(from: 0, to: fragment.count, by: 100))
        let order = starts.shuffled(using: &random)
        for (index, start) in (order.dropLast() + order.dropLast() + [order[order.count - 1]]).enumerated() {
            let piece = Array(fragment[start..<min(start + 100, fragment.count)])
            let isLast = index == 2 * (order.count - 1)
            let reply = try say(store(piece, key, .fragment, offset: start, size: fragment.count), to: &keeper)
            #expect(reply == .stored(wasPresent: false, isDone: isLast))
        }
        #expect(keeper.dhash.store.read(key)?.data == fragment)
    }

    @Test("pieces of two senders are not mixed")
    func twoSenders() throws {
        var keeper = try keeper()
        let block = [UInt8](repeating: 9, count: 400)
        let key = BlockKey(ChordID(hashing: block), .contentHash)
        let (one, two) = (fragment(of: block, seed: 1), fragment(of: block, seed: 2))
        func first(_ data: [UInt8]) -> DHashRequest { store(Array(data.prefix(200)), key, .fragment, size: data.count) }
        func second(_ data: [UInt8]) -> DHashRequest {
            store(Array(data.dropFirst(200)), key, .fragment, offset: 200, size: data.count)
        }
        #expect(try say(first(one), to: &keeper, from: 1) == .stored(wasPresent: false, isDone: false))
        #expect(try say(second(two), to: &keeper, from: 2) == .stored(wasPresent: false, isDone: false))
        #expect(keeper.dhash.store.read(key) == nil)
        #expect(try say(second(one), to: &keeper, from: 1) == .stored(wasPresent: false, isDone: true))
        #expect(keeper.dhash.store.read(key)?.data == one)
    }

    @Test("what is no fragment is not kept as one, and counted")
    func badFragment() throws {
        var keeper = try keeper()
        let key = BlockKey(ChordID(1), .contentHash)
        #expect(try say(store([1, 2, 3], key, .fragment), to: &keeper) == .failed(.error))
        #expect(keeper.dhash.counters.refused == 1)
        #expect(keeper.dhash.tree.isEmpty)
    }

    @Test("pieces that do not fit are refused")
    func absurdPieces() throws {
        var keeper = try keeper()
        let key = BlockKey(ChordID(1), .noAuth)
        for (offset, size) in [(-1, 10), (5, 7), (0, -1), (.max, 10), (0, 1 << 40)] {
            #expect(
                try say(store([1, 2, 3], key, .replica, offset: offset, size: size), to: &keeper) == .failed(.error))
        }
        #expect(try say(store([], key, .replica, size: 10), to: &keeper) == .failed(.error))
        #expect(try say(store([1], key, .cache), to: &keeper) == .failed(.error))
        #expect(try say(store([1], key, .fragment), to: &keeper) == .failed(.error))
        let fetches = [(-1, 10), (0, 0), (0, -5)]
        for (start, length) in fetches {
            let request = FetchRequest(key: key, isFragment: false, start: start, length: length, cookie: 0)
            #expect(try say(.fetch(request), to: &keeper) == .failed(.noEntry))
        }
    }

    @Test("stores that are never finished are forgotten when there are too many")
    func manyPartials() throws {
        var keeper = try keeper()
        for index in 0..<CFSLimits.partialStores + 10 {
            _ = try say(store([1], BlockKey(ChordID(UInt64(index)), .noAuth), .replica, size: 2), to: &keeper)
        }
        // The first one has to be sent again, the last one goes on.
        let (first, last) = (BlockKey(ChordID(0), .noAuth), BlockKey(ChordID(UInt64(CFSLimits.partialStores)), .noAuth))
        #expect(
            try say(store([1], first, .replica, offset: 1, size: 2), to: &keeper)
                == .stored(wasPresent: false, isDone: false))
        #expect(
            try say(store([1], last, .replica, offset: 1, size: 2), to: &keeper)
                == .stored(wasPresent: false, isDone: true))
    }

    @Test("of a block named by a key only newer versions replace it, and only signed ones")
    func versions() throws {
        var keeper = try keeper()
        let key = TestRules.key(5)
        let (old, new) = (TestRules.block(5, version: 1), TestRules.block(5, version: 2))
        #expect(try say(store(new, key, .store), to: &keeper) == .stored(wasPresent: false, isDone: true))
        #expect(try say(store(old, key, .store), to: &keeper) == .failed(.stale))
        // To replicas it is no failure: they serve the newer one.
        #expect(try say(store(old, key, .replica), to: &keeper) == .stored(wasPresent: true, isDone: true))
        // The same again is no other version.
        #expect(try say(store(new, key, .store), to: &keeper) == .stored(wasPresent: true, isDone: true))
        #expect(keeper.dhash.store.read(key)?.data == new)
        var forged = TestRules.block(5, version: 9)
        forged[2] &+= 1
        #expect(try say(store(forged, key, .store), to: &keeper) == .failed(.storeNotVerified))
        let another = TestRules.block(6, version: 9)
        #expect(try say(store(another, key, .store), to: &keeper) == .failed(.storeNotVerified))
        #expect(keeper.dhash.store.read(key)?.data == new)
    }

    @Test("a block that anybody may write is written once")
    func writeOnce() throws {
        var keeper = try keeper()
        let key = BlockKey(ChordID(3), .noAuth)
        #expect(try say(store([1], key, .store), to: &keeper) == .stored(wasPresent: false, isDone: true))
        #expect(try say(store([2], key, .store), to: &keeper) == .stored(wasPresent: true, isDone: true))
        #expect(keeper.dhash.store.read(key)?.data == [1])
    }

    @Test("a full store says so, and keeps what it has")
    func fullStore() throws {
        var keeper = try keeper(capacity: 10)
        let key = BlockKey(ChordID(3), .noAuth)
        #expect(try say(store([1, 2, 3], key, .store), to: &keeper) == .stored(wasPresent: false, isDone: true))
        let big = store([UInt8](repeating: 0, count: 8), BlockKey(ChordID(4), .noAuth), .store)
        #expect(try say(big, to: &keeper) == .failed(.storeError))
        #expect(keeper.dhash.store.read(key)?.data == [1, 2, 3])
    }

    @Test("a block replaced between two pieces is not given out in a mixture")
    func tornRead() throws {
        var keeper = try keeper()
        let key = TestRules.key(5)
        _ = try say(store(TestRules.block(5, version: 1, [1, 1, 1]), key, .store), to: &keeper)
        let first = FetchRequest(key: key, isFragment: false, start: 0, length: 3, cookie: 0)
        guard case .piece(_, _, _, let cookie, _) = try say(.fetch(first), to: &keeper) else { throw Missing() }
        _ = try say(store(TestRules.block(5, version: 2, [2, 2, 2]), key, .store), to: &keeper)
        let second = FetchRequest(key: key, isFragment: false, start: 3, length: 3, cookie: cookie)
        #expect(try say(.fetch(second), to: &keeper) == .failed(.noEntry))
    }

    @Test("who is not responsible names the one before it")
    func retry() throws {
        var keeper = try keeper()
        var random = seeded()
        let other = try #require(node(1))
        _ = keeper.answer(.chord(.notify(other)), from: other, ticket: Ticket(1), at: .zero, using: &random)
        let mine = BlockKey(keeper.chord.me.id, .noAuth)
        let its = BlockKey(other.id, .noAuth)
        #expect(try say(store([1], mine, .store), to: &keeper) == .stored(wasPresent: false, isDone: true))
        #expect(try say(store([1], its, .store), to: &keeper) == .retry(other))
        #expect(try say(store([1], its, .replica), to: &keeper) == .stored(wasPresent: false, isDone: true))
    }

    @Test("a fragment that is offered is wanted if it is not there")
    func offers() throws {
        var keeper = try keeper()
        let block: [UInt8] = [1, 2, 3]
        let key = BlockKey(ChordID(hashing: block), .contentHash)
        _ = try say(store(fragment(of: block), key, .fragment), to: &keeper)
        #expect(try say(.offer([key.id, ChordID(5)]), to: &keeper) == .offered([.present, .accept]))
    }

    @Test("what was kept is known again by a node that begins with it")
    func restart() throws {
        var keeper = try keeper()
        let block: [UInt8] = [1, 2, 3]
        let key = BlockKey(ChordID(hashing: block), .contentHash)
        _ = try say(store(fragment(of: block), key, .fragment), to: &keeper)
        let again = Node(me: keeper.chord.me, store: keeper.dhash.store, rules: TestRules())
        #expect(again.dhash.tree.contains(key.id))
        #expect(again.dhash.tree.hash == keeper.dhash.tree.hash)
    }
}
