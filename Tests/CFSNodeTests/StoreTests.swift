import CFSModel
import CFSRing
import CFSStore
import GRDB
import Glibc
import Testing

/// Goal: what was committed is there, what was not is there whole or not at all, and no more than fits.
struct StoreTests {
    private func key(_ number: UInt64, _ type: BlockType = .contentHash) -> BlockKey { BlockKey(ChordID(number), type) }

    private func kept(_ bytes: [UInt8], until expiration: UInt32 = 0) -> KeptBlock {
        KeptBlock(bytes, until: expiration)
    }

    private func isCommitted(_ outcome: CommitOutcome) -> Bool {
        if case .committed = outcome { true } else { false }
    }

    @Test("what is written is read at once, and after the commit by whoever opens the store again")
    func persistence() async throws {
        let directory = try TemporaryDirectory()
        do {
            let database = try BlockDatabase(directory: directory.path + "/a", nodes: 2)
            var (first, second) = (NodeStore(database, node: 0), NodeStore(database, node: 1))
            try first.write(kept([1, 2]), for: key(1))
            try second.write(kept([3]), for: key(1))
            try first.write(kept([4]), for: key(2, .keyHash))
            #expect(first.read(key(1))?.data == [1, 2] && second.read(key(1))?.data == [3])
            #expect(database.openBatch == 1)
            #expect(isCommitted(await database.commit()))
            #expect(database.openBatch == nil)
            try first.write(kept([5]), for: key(2, .keyHash))
            first.remove(key(1))
            #expect(first.read(key(1)) == nil && first.read(key(2, .keyHash))?.data == [5])
            #expect(isCommitted(await database.commit()))
        }
        let database = try BlockDatabase(directory: directory.path + "/a", nodes: 2)
        let (first, second) = (NodeStore(database, node: 0), NodeStore(database, node: 1))
        #expect(first.read(key(1)) == nil && second.read(key(1))?.data == [3])
        #expect(first.read(key(2, .keyHash))?.data == [5] && first.read(key(2, .noAuth)) == nil)
        #expect(database.counts.bytes == 2)
        #expect(database.counts.fragments == 1 && database.counts.signedBlocks == 1)
    }

    @Test("what is added counts like what is written, and is there as surely")
    func adding() async throws {
        let directory = try TemporaryDirectory()
        do {
            let database = try BlockDatabase(directory: directory.path + "/a", nodes: 1)
            var store = NodeStore(database, node: 0)
            try store.add(kept([1, 2]), for: key(1))
            #expect(store.read(key(1))?.data == [1, 2])
            #expect(database.counts.bytes == 2 && database.counts.fragments == 1)
            #expect(isCommitted(await database.commit()))
            try store.write(kept([3]), for: key(1))
            #expect(database.counts.bytes == 1 && database.counts.fragments == 1)
            #expect(isCommitted(await database.commit()))
        }
        let database = try BlockDatabase(directory: directory.path + "/a", nodes: 1, bytesMax: 2)
        var store = NodeStore(database, node: 0)
        #expect(store.read(key(1))?.data == [3] && database.counts.bytes == 1)
        #expect(throws: BlockStoreError.full) { try store.add(kept([1, 2]), for: key(2)) }
        #expect(database.counts.bytes == 1)
    }

    @Test("what was not committed is gone when the store is opened again")
    func uncommitted() async throws {
        let directory = try TemporaryDirectory()
        do {
            let database = try BlockDatabase(directory: directory.path + "/a", nodes: 1)
            var store = NodeStore(database, node: 0)
            try store.write(kept([1]), for: key(1))
            #expect(isCommitted(await database.commit()))
            try store.write(kept([2]), for: key(1))
            try store.write(kept([2]), for: key(2))
        }
        let database = try BlockDatabase(directory: directory.path + "/a", nodes: 1)
        let store = NodeStore(database, node: 0)
        #expect(store.read(key(1))?.data == [1] && store.read(key(2)) == nil)
        #expect(database.counts.bytes == 1)
    }

    @Test("names come in ascending order, whether they are on the disk or not yet")
    func names() async throws {
        let directory = try TemporaryDirectory()
        let database = try BlockDatabase(directory: directory.path + "/a", nodes: 1)
        var store = NodeStore(database, node: 0)
        for number in [7, 3, 9, 5] as [UInt64] { try store.write(kept([1]), for: key(number)) }
        #expect(isCommitted(await database.commit()))
        for number in [4, 8] as [UInt64] { try store.write(kept([1]), for: key(number)) }
        try store.write(kept([1]), for: key(6, .noAuth))
        store.remove(key(3))
        store.remove(key(8))
        func names(after id: UInt64?, _ limit: Int) -> [ChordID] {
            store.keys(of: .contentHash, after: id.map { ChordID($0) }, limit: limit)
        }
        #expect(names(after: nil, 10) == [4, 5, 7, 9].map { ChordID($0) })
        #expect(names(after: nil, 2) == [4, 5].map { ChordID($0) })
        #expect(names(after: 5, 10) == [7, 9].map { ChordID($0) })
        #expect(names(after: 9, 10) == [])
        #expect(store.keys(of: .noAuth, after: nil, limit: 10) == [ChordID(6)])
    }

    @Test("a full store refuses what is more, and takes it when there is room")
    func full() async throws {
        let directory = try TemporaryDirectory()
        let database = try BlockDatabase(directory: directory.path + "/a", nodes: 1, bytesMax: 100)
        var store = NodeStore(database, node: 0)
        try store.write(kept(Array(repeating: 1, count: 60)), for: key(1))
        #expect(throws: BlockStoreError.full) { try store.write(kept(Array(repeating: 2, count: 41)), for: key(2)) }
        #expect(store.read(key(2)) == nil)
        #expect(isCommitted(await database.commit()))
        #expect(throws: BlockStoreError.full) { try store.write(kept(Array(repeating: 2, count: 101)), for: key(1)) }
        #expect(store.read(key(1))?.data.count == 60)
        // One that is replaced makes room for itself.
        try store.write(kept(Array(repeating: 2, count: 100)), for: key(1))
        store.remove(key(1))
        try store.write(kept(Array(repeating: 2, count: 41)), for: key(2))
        #expect(isCommitted(await database.commit()))
        #expect(database.counts.bytes == 41 && database.counts.fragments == 1)
    }

    @Test("a full disk undoes what was to be committed, keeps what was, and takes more when there is space")
    func fullDisk() async throws {
        let directory = try TemporaryDirectory()
        try #require(mount("tmpfs", directory.path, "tmpfs", 0, "size=1m") == 0, "tests run in the sandbox")
        defer { umount2(directory.path, Int32(MNT_DETACH)) }
        let database = try BlockDatabase(directory: directory.path + "/a", nodes: 1)
        var store = NodeStore(database, node: 0)
        try store.write(kept([1]), for: key(1))
        try store.write(kept([9]), for: key(2))
        #expect(isCommitted(await database.commit()))
        try store.write(kept(Array(repeating: 7, count: 2 << 20)), for: key(1))
        try store.write(kept([3]), for: key(3))
        store.remove(key(2))
        guard case .failed(let batch, let undone, _) = await database.commit() else {
            Issue.record("2 MiB went onto a disk of 1 MiB")
            return
        }
        #expect(batch == 2 && Set(undone.map(\.key)) == [key(1), key(2), key(3)])
        #expect(store.read(key(1))?.data == [1] && store.read(key(2))?.data == [9] && store.read(key(3)) == nil)
        #expect(database.openBatch == nil && database.counts.bytes == 2)
        try store.write(kept([4]), for: key(4))
        #expect(isCommitted(await database.commit()))
        #expect(store.read(key(4))?.data == [4])
    }

    @Test("what virtual nodes that are no more kept falls to the first one")
    func fewerNodes() async throws {
        let directory = try TemporaryDirectory()
        do {
            let database = try BlockDatabase(directory: directory.path + "/a", nodes: 3)
            for node in 0..<3 {
                var store = NodeStore(database, node: node)
                try store.write(kept([UInt8(node)]), for: key(UInt64(node)))
                try store.write(kept([UInt8(node)]), for: key(9))
            }
            #expect(isCommitted(await database.commit()))
        }
        let database = try BlockDatabase(directory: directory.path + "/a", nodes: 1)
        let store = NodeStore(database, node: 0)
        #expect(store.keys(of: .contentHash, after: nil, limit: 10) == [0, 1, 2, 9].map { ChordID($0) })
        #expect(store.read(key(9))?.data == [0] && store.read(key(2))?.data == [2])
        #expect(database.counts.bytes == 4)
    }

    @Test("a directory is made with those above it, is one process's at a time, and has to be one")
    func inUse() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/var/lib/a"
        do {
            let database = try BlockDatabase(directory: path, nodes: 1)
            #expect(throws: BlockDatabaseError.inUse(path: path)) { try BlockDatabase(directory: path, nodes: 1) }
            _ = database.counts
        }
        _ = try BlockDatabase(directory: path, nodes: 1)
        #expect(throws: BlockDatabaseError.self) { try BlockDatabase(directory: path + "/lock/b", nodes: 1) }
    }

    @Test("stores that come together are committed together")
    func groups() async throws {
        let directory = try TemporaryDirectory()
        let database = try BlockDatabase(directory: directory.path + "/a", nodes: 1)
        var store = NodeStore(database, node: 0)
        try store.write(kept([1]), for: key(1))
        async let first = database.commit()
        for number in 2..<100 as Range<UInt64> { try store.write(kept([1]), for: key(number)) }
        // Whatever the first one took, the second one takes all the rest.
        #expect(isCommitted(await first))
        _ = await database.commit()
        #expect(database.openBatch == nil)
        #expect(store.keys(of: .contentHash, after: nil, limit: 1000).count == 99)
    }

    @Test("blocks whose time is over are found, whether they are on the disk or not yet")
    func expired() async throws {
        let directory = try TemporaryDirectory()
        do {
            let database = try BlockDatabase(directory: directory.path + "/a", nodes: 2, generation: 2)
            var (store, other) = (NodeStore(database, node: 0), NodeStore(database, node: 1))
            let later: [(UInt64, UInt32)] = [(1, 300), (2, 0), (3, 100), (4, 200), (5, 4_000_000_000)]
            for (number, expiration) in later { try store.write(kept([1], until: expiration), for: key(number)) }
            try store.write(kept([1], until: 100), for: key(6, .keyHash))
            try other.write(kept([1], until: 100), for: key(7))
            #expect(Set(store.expired(.contentHash, at: 300, limit: 9)) == [ChordID(1), ChordID(3), ChordID(4)])
            #expect(isCommitted(await database.commit()))
        }
        let database = try BlockDatabase(directory: directory.path + "/a", nodes: 2, generation: 2)
        var store = NodeStore(database, node: 0)
        #expect(store.read(key(4)) == kept([1], until: 200) && store.read(key(2)) == kept([1]))
        #expect(store.expired(.contentHash, at: 99, limit: 9) == [])
        #expect(store.expired(.contentHash, at: 300, limit: 9) == [3, 4, 1].map { ChordID($0) })
        #expect(store.expired(.contentHash, at: 300, limit: 2) == [3, 4].map { ChordID($0) })
        #expect(store.expired(.keyHash, at: 300, limit: 9) == [ChordID(6)])
        // One is kept for longer, one is gone, one is over from now on.
        try store.write(kept([1], until: 500), for: key(3))
        store.remove(key(4))
        try store.write(kept([1], until: 300), for: key(2))
        #expect(store.expired(.contentHash, at: 300, limit: 9) == [1, 2].map { ChordID($0) })
        #expect(isCommitted(await database.commit()))
        #expect(Set(store.expired(.contentHash, at: 500, limit: 9)) == [ChordID(1), ChordID(2), ChordID(3)])
    }

    @Test("a store of a program without expirations is taken over, each block is kept for ever")
    func migration() async throws {
        let directory = try TemporaryDirectory()
        try #require(mkdir(directory.path + "/a", 0o700) == 0)
        let old = try DatabaseQueue(path: directory.path + "/a/blocks.sqlite")
        try await old.write { database in
            try database.execute(
                sql: """
                    CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
                    INSERT INTO grdb_migrations VALUES ('1: blocks');
                    CREATE TABLE block (node INTEGER NOT NULL, type INTEGER NOT NULL, id BLOB NOT NULL, data BLOB NOT NULL);
                    CREATE UNIQUE INDEX name ON block (node, type, id);
                    INSERT INTO block VALUES (0, 0, x'0000000000000000000000000000000000000009', x'0102');
                    """)
        }
        try old.close()
        #expect(throws: BlockDatabaseError.otherGeneration(path: directory.path + "/a", generation: 1)) {
            try BlockDatabase(directory: directory.path + "/a", nodes: 1, generation: 2)
        }
        let database = try BlockDatabase(directory: directory.path + "/a", nodes: 1)
        #expect(NodeStore(database, node: 0).read(key(9)) == kept([1, 2]))
        #expect(database.counts.bytes == 2)
    }

    @Test("a store is of one generation, the one that had it first")
    func generations() throws {
        let directory = try TemporaryDirectory()
        for (own, other) in [(1, 2), (2, 1)] {
            let path = "\(directory.path)/\(own)"
            for generation in [own, other, own] {
                do {
                    _ = try BlockDatabase(directory: path, nodes: 1, generation: generation)
                    #expect(generation == own)
                } catch {
                    #expect(generation == other && error == .otherGeneration(path: path, generation: own))
                }
            }
        }
    }
}
