import CFSModel
public import CFSRing
import Foundation
import GRDB
import Synchronization

/// What all virtual nodes of a process keep, on the disk: SQLite, in a directory of its own.
///
/// Writes are collected, and ``commit()`` puts all that came so far on the disk at once: many stores cost one flush of the
/// disk. What is collected is read as if it were there. Once a commit returns, what it says is on the disk stays through
/// SIGKILL and loss of power; of what was collected and not committed each block is there whole, or not at all.
///
/// Thread-safe. Reading and writing waits for the disk; ``commit()`` does not block its caller's thread.
public final class BlockDatabase: Sendable {
    /// Which node's.
    struct Name: Hashable, Sendable {
        let node: Int
        let key: BlockKey
    }

    private struct State {
        /// What the next commit writes; nil: takes out.
        var staged: [Name: KeptBlock?] = [:]
        /// What the commit under way writes.
        var underWay: [Name: KeptBlock?] = [:]
        /// Numbers of these two.
        var batch: UInt64 = 1
        var batchUnderWay: UInt64 = 0
        var counts = StoreCounts()
        /// What the counts gained by what is staged, and by what is under way.
        var stagedGain = StoreCounts()
        var gainUnderWay = StoreCounts()
        var stagedBytes = 0
    }

    /// Bytes kept at most.
    public let bytesMax: Int

    private let pool: DatabasePool
    private let lock: DirectoryLock
    private let state = Mutex(State())

    /// Opens the store in a directory, or makes one.
    ///
    /// - Parameters:
    ///   - nodes: How many virtual nodes there are. What those beyond kept falls to the first one, which finds out whose it is.
    ///   - generation: Whose fragments it has: the other's nodes could make nothing of them.
    ///   - bytesMax: Bytes of blocks kept at most.
    /// - Throws: ``BlockDatabaseError``
    public init(
        directory: String, nodes: Int, generation: Int = 1, bytesMax: Int = StoreLimits.bytes
    ) throws(BlockDatabaseError) {
        self.bytesMax = bytesMax
        lock = try DirectoryLock(directory)
        let path = directory + "/blocks.sqlite"
        let owner: Int
        do {
            pool = try DatabasePool(path: path, configuration: Self.configuration)
            try BlockSchema.migrations.migrate(pool)
            owner = try pool.write { try $0.owner(atFirst: generation) }
        } catch {
            throw .unusable(path: path, why: "\(error)")
        }
        guard owner == generation else { throw .otherGeneration(path: directory, generation: owner) }
        do {
            let counts = try pool.write { database in
                try database.execute(sql: "UPDATE OR IGNORE block SET node = 0 WHERE node >= ?", arguments: [nodes])
                try database.execute(sql: "DELETE FROM block WHERE node >= ?", arguments: [nodes])
                return try StoreCounts(database)
            }
            state.withLock { $0.counts = counts }
        } catch {
            throw .unusable(path: path, why: "\(error)")
        }
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        // The nodes of a process are one thread.
        configuration.maximumReaderCount = 1
        configuration.prepareDatabase { database in
            // Each commit is flushed.
            try database.execute(sql: "PRAGMA synchronous = FULL")
            try database.execute(sql: "PRAGMA wal_autocheckpoint = \(StoreLimits.logPages)")
            try database.execute(sql: "PRAGMA journal_size_limit = \(StoreLimits.logBytes)")
        }
        return configuration
    }

    /// How much is kept, what is not committed yet included.
    public var counts: StoreCounts { state.withLock { $0.counts } }

    /// The number of the commit after which all that was written so far is on the disk; nil if it is.
    public var openBatch: UInt64? {
        state.withLock { state in
            if !state.staged.isEmpty { return state.batch }
            return state.underWay.isEmpty ? nil : state.batchUnderWay
        }
    }

    /// Puts on the disk what was written so far.
    ///
    /// - Returns: What became of it.
    /// - Precondition: No other commit is under way.
    public func commit() async -> CommitOutcome {
        let changes: [Name: KeptBlock?]? = state.withLock { state in
            precondition(state.underWay.isEmpty, "one commit at a time")
            guard !state.staged.isEmpty else { return nil }
            swap(&state.staged, &state.underWay)
            swap(&state.stagedGain, &state.gainUnderWay)
            state.stagedBytes = 0
            state.batchUnderWay = state.batch
            state.batch += 1
            return state.underWay
        }
        guard let changes else { return .nothing }
        do {
            try await pool.write { database in
                for (name, block) in changes { try database.apply(block, name) }
            }
            return state.withLock { state in
                state.underWay = [:]
                state.gainUnderWay = StoreCounts()
                return .committed(through: state.batchUnderWay)
            }
        } catch {
            return state.withLock { Self.revert(&$0, "\(error)") }
        }
    }

    /// What was written since may build on what failed: all of it is undone.
    private static func revert(_ state: inout State, _ why: String) -> CommitOutcome {
        let names = Set(state.underWay.keys).union(state.staged.keys)
        state.counts.remove(state.gainUnderWay)
        state.counts.remove(state.stagedGain)
        let last = state.staged.isEmpty ? state.batchUnderWay : state.batch
        state = State(
            batch: last + 1, batchUnderWay: last, counts: state.counts)
        return .failed(through: last, undone: names.map { ($0.node, $0.key) }, why: why)
    }

    // What a node's store asks.

    func read(_ name: Name) -> KeptBlock? {
        if let collected = state.withLock({ $0.staged[name] ?? $0.underWay[name] }) { return collected }
        // A medium that fails has nothing to give; others have.
        return try? pool.unsafeRead { try $0.block(name) }
    }

    private func size(of name: Name) -> Int? {
        if let collected = state.withLock({ $0.staged[name] ?? $0.underWay[name] }) { return collected?.data.count }
        return try? pool.unsafeRead { try $0.size(of: name) }
    }

    func write(_ block: KeptBlock?, _ name: Name) throws(BlockStoreError) {
        try write(block, name, over: size(of: name))
    }

    /// Keeps what nothing was kept of so far, as the caller knows.
    func add(_ block: KeptBlock, _ name: Name) throws(BlockStoreError) { try write(block, name, over: nil) }

    private func write(_ block: KeptBlock?, _ name: Name, over previous: Int?) throws(BlockStoreError) {
        let bytes = block?.data.count
        guard bytes != nil || previous != nil else { return }
        var gain = StoreCounts()
        if let previous { gain.remove(name.key.type, bytes: previous) }
        if let bytes { gain.add(name.key.type, bytes: bytes) }
        let isRoom = state.withLock { state in
            guard bytes == nil || state.counts.bytes + gain.bytes <= bytesMax,
                state.stagedBytes + (bytes ?? 0) <= StoreLimits.stagedBytes
            else { return false }
            state.stagedBytes += bytes ?? 0
            state.staged[name] = .some(block)
            state.counts.add(gain)
            state.stagedGain.add(gain)
            return true
        }
        guard isRoom else { throw .full }
    }

    func keys(node: Int, type: BlockType, after: ChordID?, limit: Int) -> [ChordID] {
        let collected = collected(node, type) { id in after.map { id > $0 } ?? true }
        // So many may be taken out of what is on the disk.
        let stored = try? pool.unsafeRead {
            try $0.keys(node: node, type: type, after: after, limit: limit + collected.count)
        }
        guard !collected.isEmpty else { return stored ?? [] }
        var names: Set<ChordID> = Set(stored ?? [])
        for (id, block) in collected {
            if block == nil { names.remove(id) } else { names.insert(id) }
        }
        return Array(names.sorted().prefix(limit))
    }

    func expired(node: Int, type: BlockType, at time: Int64, limit: Int) -> [ChordID] {
        let collected = collected(node, type)
        let stored = try? pool.unsafeRead {
            try $0.expired(node: node, type: type, at: time, limit: limit + collected.count)
        }
        let others = (stored ?? []).filter { collected[$0] == nil }
        let over = collected.filter { _, block in
            block.map { $0.expiration > 0 && Int64($0.expiration) <= time } ?? false
        }
        return Array((others + over.keys).prefix(limit))
    }

    /// What is not committed yet of a node's blocks of this type.
    private func collected(
        _ node: Int, _ type: BlockType, where isWanted: (ChordID) -> Bool = { _ in true }
    ) -> [ChordID: KeptBlock?] {
        let all = state.withLock { $0.underWay.merging($0.staged) { _, new in new } }
        var wanted: [ChordID: KeptBlock?] = [:]
        for (name, block) in all where name.node == node && name.key.type == type && isWanted(name.key.id) {
            wanted[name.key.id] = .some(block)
        }
        return wanted
    }
}

/// What became of a commit.
public enum CommitOutcome: Sendable {
    /// There was nothing to write.
    case nothing
    /// All through the batch of this number is on the disk.
    case committed(through: UInt64)
    /// Nothing of the batches through this number is on the disk, nor will be: these keep what they had before.
    case failed(through: UInt64, undone: [(node: Int, key: BlockKey)], why: String)
}
