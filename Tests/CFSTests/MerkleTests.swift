import CFSModel
import CFSRing
import CFSSimulation
import Testing

@Suite("Merkle trees")
struct MerkleTests {
    /// What the hash is by definition, without a tree.
    private func hash(_ keys: [ChordID], level: Int = 0) -> MerkleHash {
        if keys.isEmpty { return .zero }
        if keys.count <= 64 { return MerkleHash(hashing: keys.sorted().map { MerkleHash(key: $0) }) }
        let parts = Dictionary(grouping: keys) { $0.merkleSlot(level) }
        return MerkleHash(hashing: (0..<64).map { hash(parts[$0] ?? [], level: level + 1) })
    }

    /// Keys some of which have long beginnings in common.
    private func keys(_ count: Int, using random: inout SeededRandom) -> [ChordID] {
        let start = ChordID(using: &random)
        return (0..<count).map { index in
            index % 3 == 0
                ? start &+ ChordID(UInt64.random(in: 0...(1 << 20), using: &random)) : ChordID(using: &random)
        }
    }

    @Test("the hashes are what they would be if the tree were made anew", arguments: [0, 1, 64, 65, 300, 1500])
    func hashes(count: Int) {
        var random = seeded(UInt64(count))
        let keys = Array(Set(keys(count, using: &random))).sorted()
        var tree = MerkleTree(keys.shuffled(using: &random))
        #expect(tree.hash == hash(keys))
        #expect(tree.count == keys.count)
        let gone = Set(keys.filter { _ in Bool.random(using: &random) })
        for key in gone.sorted() where !tree.remove(key) { Issue.record("\(key) was not there") }
        let left = keys.filter { !gone.contains($0) }
        #expect(tree.hash == hash(left))
        #expect(tree.keys(from: ChordID(0), through: ChordID(0).previous) == left)
        for key in left { tree.remove(key) }
        #expect(tree.hash == .zero && tree.isEmpty)
    }

    @Test("a key is in once, and out once")
    func sets() {
        var tree = MerkleTree()
        var changes = [tree.insert(ChordID(7)), tree.insert(ChordID(7))]
        #expect(tree.contains(ChordID(7)) && !tree.contains(ChordID(8)))
        changes += [tree.remove(ChordID(8)), tree.remove(ChordID(7)), tree.remove(ChordID(7))]
        #expect(changes == [true, false, false, true, false])
    }

    @Test("keys that differ only in their last bits are kept apart")
    func deepKeys() {
        let keys = (0..<1000).map { ChordID(UInt64($0)) }
        var tree = MerkleTree(keys)
        #expect(tree.hash == hash(keys))
        #expect(tree.keys(from: ChordID(10), through: ChordID(13)) == (10...13).map { ChordID($0) })
        for key in keys.dropFirst(3) { tree.remove(key) }
        #expect(tree.hash == hash(Array(keys.prefix(3))))
    }

    @Test("a range has the keys that are in it, as many as are asked for")
    func ranges() {
        var random = seeded(8)
        let keys = keys(500, using: &random).sorted()
        let tree = MerkleTree(keys)
        for _ in 0..<50 {
            let bounds = [ChordID(using: &random), keys[Int.random(in: 0..<500, using: &random)]].sorted()
            let right = Array(Set(keys)).sorted().filter { $0 >= bounds[0] && $0 <= bounds[1] }
            #expect(tree.keys(from: bounds[0], through: bounds[1]) == right)
            #expect(tree.keys(from: bounds[0], through: bounds[1], limit: 5) == Array(right.prefix(5)))
            #expect(tree.firstKey(from: bounds[0]) == keys.first { $0 >= bounds[0] } ?? keys[0])
        }
    }

    // Comparing.

    private struct Found {
        var here: Set<ChordID> = []
        var there: Set<ChordID> = []
        var servers: Set<ChordID> = []
        var questions = 0
    }

    /// Both sides of a comparison, one asking and one answering.
    private func compare(_ mine: MerkleTree, _ theirs: MerkleTree, _ range: KeyRange) throws -> Found {
        var found = Found()
        var unknown: [KeyRange] = []
        func run(_ sync: inout MerkleSync, _ mine: MerkleTree, _ theirs: MerkleTree, _ note: (MerkleSync) -> Void)
            throws
        {
            while case .ask(let request) = try sync.next(mine) {
                let (reply, missing, ranges) = theirs.answer(request)
                found.servers.formUnion(missing)
                unknown += ranges
                try sync.receive(reply, mine)
            }
            note(sync)
            found.questions += sync.questions
        }
        var sync = MerkleSync(range: range)
        try run(&sync, mine, theirs) {
            found.here.formUnion($0.missingHere)
            found.there.formUnion($0.missingThere)
        }
        var back = MerkleSync(keysIn: unknown)
        try run(&back, theirs, mine) { found.servers.formUnion($0.missingHere) }
        return found
    }

    @Test("a comparison finds what is missing on either side, and nothing else", arguments: 0..<40)
    func comparison(seed: UInt64) throws {
        var random = seeded(seed)
        let both = keys(Int.random(in: 0...600, using: &random), using: &random)
        let some = keys(Int.random(in: 0...100, using: &random), using: &random)
        let others = keys(seed % 5 == 0 ? 0 : Int.random(in: 0...300, using: &random), using: &random)
        let (mine, theirs) = (seed % 7 == 0 ? Set() : Set(both + some), Set(both + others))
        let start = ChordID(using: &random)
        let range =
            seed % 3 == 0
            ? KeyRange(from: start, through: start.previous)
            : KeyRange(from: start, through: ChordID(using: &random))
        let found = try compare(MerkleTree(mine), MerkleTree(theirs), range)
        #expect(found.here == theirs.subtracting(mine).filter(range.contains))
        #expect(found.there == mine.subtracting(theirs).filter(range.contains))
        #expect(found.servers == mine.subtracting(theirs).filter(range.contains))
    }

    @Test("equal trees take one question, and one difference as many as the tree is deep")
    func cost() throws {
        var random = seeded(9)
        let keys = Set((0..<20_000).map { _ in ChordID(using: &random) })
        let tree = MerkleTree(keys)
        let all = KeyRange(from: ChordID(0), through: ChordID(0).previous)
        #expect(try compare(tree, tree, all).questions == 1)
        var other = tree
        let key = ChordID(using: &random)
        other.insert(key)
        let found = try compare(tree, other, all)
        #expect(found.here == [key])
        #expect(found.questions <= 4)
    }

    @Test("answers that no tree gives end the comparison")
    func nonsense() throws {
        var random = seeded(10)
        let tree = MerkleTree((0..<100).map { _ in ChordID(using: &random) })
        let all = KeyRange(from: ChordID(0), through: ChordID(0).previous)
        let hashes = [MerkleHash](repeating: .zero, count: 64)
        let nonsense: [MerkleReply] = [
            .failed, .keys([], hasMore: false),
            .node(MerkleNode(level: 1, prefix: ChordID(0), count: 0, hash: .zero, content: .leaf([]))),
            .node(MerkleNode(level: 0, prefix: ChordID(1), count: 0, hash: .zero, content: .leaf([]))),
            .node(MerkleNode(level: -1, prefix: ChordID(0), count: 0, hash: .zero, content: .leaf([]))),
            .node(
                MerkleNode(
                    level: 0, prefix: ChordID(0), count: 1, hash: .zero, content: .inner(Array(hashes.dropLast())))),
        ]
        for reply in nonsense {
            var sync = MerkleSync(range: all)
            _ = try sync.next(tree)
            #expect(throws: MerkleSync.Failure.nonsense) { try sync.receive(reply, tree) }
        }
        var sync = MerkleSync(range: all)
        #expect(throws: MerkleSync.Failure.nonsense) { try sync.receive(.failed, tree) }
    }

    @Test("keys that never end are not waited for")
    func endlessKeys() throws {
        let tree = MerkleTree()
        var sync = MerkleSync(keysIn: [KeyRange(from: ChordID(5), through: ChordID(9))])
        #expect(try sync.next(tree) == .ask(.getKeys(KeyRange(from: ChordID(5), through: ChordID(9)))))
        #expect(throws: MerkleSync.Failure.nonsense) { try sync.receive(.keys([], hasMore: true), tree) }
    }
}
