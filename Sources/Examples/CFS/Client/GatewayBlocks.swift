import CFSBlocks
public import CFSFiles
public import CFSModel
public import NIOCore

/// The blocks behind a gateway, for file systems: what comes from there is checked before it is believed or kept.
///
/// Blocks that are named by their content are kept, up to a number of bytes, for nobody can change them. What several ask for
/// at a time is fetched once. What is to be stored goes off in the background.
public actor GatewayBlocks: BlockSource, BlockSink {
    /// How much it keeps and does ahead.
    public struct Options: Sendable {
        /// Bytes of blocks that are kept.
        public var cacheBytes = 64 * 1024 * 1024
        /// Blocks that are fetched although nobody has asked for them yet, at a time.
        public var aheadMax = 64
        /// Blocks on their way to the gateway at a time.
        public var storingMax = 64
        /// Bytes of these.
        public var storingBytesMax = 16 * 1024 * 1024
        /// Names of blocks that are known to be stored, which are not brought again.
        public var storedMax = 1_000_000
        /// Until when blocks are to be kept, in seconds since 1970; only generation 2 can be told.
        public var expiration: UInt32?

        /// The defaults.
        public init() {}
    }

    /// What happened since the beginning.
    public struct Counters: Hashable, Sendable {
        /// Blocks that were there already.
        public var hits = 0
        /// Blocks that were fetched.
        public var fetched = 0
        /// Of these, those that nobody had asked for yet.
        public var ahead = 0
        /// Blocks that were not what their names say.
        public var wrong = 0
        /// Blocks that were stored.
        public var stored = 0
        /// Bytes of these.
        public var storedBytes: UInt64 = 0
    }

    /// What happened so far.
    public private(set) var counters = Counters()

    private let client: GatewayClient
    let options: Options
    private var cache: BlockCache
    private var fetches: [ChordID: Task<ByteBuffer?, any Error>] = [:]
    private var aheadCount = 0
    private var storing = StoreQueue()

    /// The blocks behind a client's gateway.
    public init(_ client: GatewayClient, _ options: Options = Options()) {
        self.client = client
        self.options = options
        cache = BlockCache(bytesMax: options.cacheBytes)
    }

    /// The block whose content has this hash; nil if the gateway says that there is none.
    ///
    /// - Throws: `GatewayError`; `FileSystemError` if what came is something else.
    public func block(_ name: ChordID) async throws -> ByteBuffer? {
        if let block = cache.take(name) {
            counters.hits += 1
            return block
        }
        let task = if let task = fetches[name] { task } else { fetch(name) }
        return try await task.value
    }

    /// Fetches these blocks meanwhile, as many as may be.
    public func expect(_ names: [ChordID]) {
        for name in names where !cache.contains(name) && fetches[name] == nil {
            guard aheadCount < options.aheadMax else { return }
            counters.ahead += 1
            aheadCount += 1
            let task = fetch(name)
            Task {
                _ = await task.result
                aheadCount -= 1
            }
        }
    }

    /// The signed block of this name, as the gateway has it now; nil if it says that there is none.
    ///
    /// - Throws: `GatewayError`; `FileSystemError` if it does not prove itself.
    public func signedBlock(_ name: ChordID) async throws -> ByteBuffer? {
        guard let found = try await client.retrieve(name, .keyHash) else { return nil }
        do throws(SignedBlockError) {
            _ = try SignedBlock(found.bytes, named: name)
        } catch {
            counters.wrong += 1
            throw FileSystemError(error)
        }
        return found.bytes
    }

    private func fetch(_ name: ChordID) -> Task<ByteBuffer?, any Error> {
        let task = Task { () throws -> ByteBuffer? in
            defer { fetches[name] = nil }
            guard let found = try await client.retrieve(name, .contentHash) else { return nil }
            counters.fetched += 1
            guard ChordID(hashing: found.bytes.readableBytesView) == name else {
                counters.wrong += 1
                throw FileSystemError(.wrongContent, block: name)
            }
            cache.put(name, found.bytes)
            return found.bytes
        }
        fetches[name] = task
        return task
    }

    // MARK: Storing

    /// Takes a block, and waits while too many are under way.
    ///
    /// - Throws: What an earlier block failed with.
    public func store(_ block: NamedBlock) async throws {
        if let failure = storing.failure { throw failure }
        guard !storing.isKnown(block.name) else { return }
        while storing.count >= options.storingMax || storing.bytes >= options.storingBytesMax {
            await oneMoreStored()
            if let failure = storing.failure { throw failure }
        }
        // Another one may have begun meanwhile.
        guard storing.begin(block, knownMax: options.storedMax) else { return }
        Task {
            do {
                try await client.insert(block.name, .contentHash, block.bytes, expiration: options.expiration)
                counters.stored += 1
                counters.storedBytes += UInt64(block.bytes.readableBytes)
                storing.end(block, nil)
            } catch {
                storing.end(block, error)
            }
        }
    }

    /// Waits until all that was taken is stored.
    ///
    /// - Throws: `GatewayError` if some of it is not; whoever wants to go on begins anew.
    public func settle() async throws {
        while storing.count > 0 { await oneMoreStored() }
        defer { storing.failure = nil }
        if let failure = storing.failure { throw failure }
    }

    private func oneMoreStored() async { await withCheckedContinuation { storing.enqueue($0) } }

    /// Stores a signed block.
    ///
    /// - Throws: `GatewayError`; of the code `stale` if the nodes have a newer one.
    public func store(root: ByteBuffer, named name: ChordID) async throws {
        do throws(GatewayError) {
            try await client.insert(name, .keyHash, root, expiration: options.expiration)
        } catch {
            // So they answer to one that they have already, too: an attempt whose answer was lost did it.
            guard error.code == .stale, let there = try await client.retrieve(name, .keyHash), there.bytes == root
            else { throw error }
        }
        counters.stored += 1
        counters.storedBytes += UInt64(root.readableBytes)
    }
}
