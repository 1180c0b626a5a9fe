public import CFSModel

/// What is kept of a block, and until when.
public struct KeptBlock: Equatable, Sendable {
    /// A fragment of a block that is named by its content, all of another one.
    public let data: [UInt8]
    /// In seconds since 1970; 0: for ever.
    public let expiration: UInt32

    /// What is kept.
    public init(_ data: [UInt8], until expiration: UInt32 = 0) {
        self.data = data
        self.expiration = expiration
    }
}

/// What a node keeps of a block: a fragment of one named by its content, all of the others.
///
/// Implementations bound how much they keep. Calls are plain: a durable store may collect what a node does in one event and
/// commit it before the actions of that event are performed, so nothing is acknowledged that is not kept.
public protocol BlockStore: Sendable {
    /// What is kept of a block, also when its time is over.
    func read(_ key: BlockKey) -> KeptBlock?
    /// Keeps this, instead of what was kept of that block.
    ///
    /// - Throws: If there is no room, or the medium fails. Then all is as before.
    mutating func write(_ block: KeptBlock, for key: BlockKey) throws(BlockStoreError)
    /// The same for a block of which the caller knows that nothing is kept: whoever has to look for that on a disk need not.
    mutating func add(_ block: KeptBlock, for key: BlockKey) throws(BlockStoreError)
    /// Keeps nothing of a block any more.
    mutating func remove(_ key: BlockKey)
    /// Names of this type behind `id`, in ascending order and not around the circle, `limit` at most; from the first one if nil.
    func keys(of type: BlockType, after id: ChordID?, limit: Int) -> [ChordID]
    /// Names of this type whose time is over at `time`, in seconds since 1970, `limit` at most.
    func expired(_ type: BlockType, at time: Int64, limit: Int) -> [ChordID]
}

extension BlockStore {
    public mutating func add(_ block: KeptBlock, for key: BlockKey) throws(BlockStoreError) {
        try write(block, for: key)
    }
}

/// Why a store keeps nothing more.
public enum BlockStoreError: Error, Equatable, Sendable {
    /// There is no room.
    case full
    /// The medium failed.
    case failed
}

/// Decides which blocks are right.
public protocol BlockRules: Sendable {
    /// Whether a block has a right to its name: by its hash, or its owner's signature.
    func isRight(_ data: [UInt8], _ key: BlockKey) -> Bool
    /// The version of a block named by a key: of two with the same name the larger one counts. Nil if it is none.
    func version(of data: [UInt8]) -> Int64?
}

extension BlockRules {
    /// What holds for blocks that are named by their content, and for those that anybody may write.
    public func isRightWithoutKey(_ data: [UInt8], _ key: BlockKey) -> Bool {
        switch key.type {
        case .contentHash: ChordID(hashing: data) == key.id
        case .noAuth: true
        case .keyHash: false
        }
    }
}

/// Rules that know no signatures: no block named by a key is right.
public struct ContentRules: BlockRules {
    /// The rules.
    public init() {}

    public func isRight(_ data: [UInt8], _ key: BlockKey) -> Bool { isRightWithoutKey(data, key) }

    public func version(of data: [UInt8]) -> Int64? { nil }
}

/// A store without a disk.
public struct MemoryStore: BlockStore {
    /// Bytes kept at most.
    public let capacity: Int
    /// Bytes kept.
    public private(set) var byteCount = 0

    private var blocks: [BlockKey: KeptBlock] = [:]
    /// When those are over that are not kept for ever.
    private var expirations: [BlockKey: UInt32] = [:]
    /// The names of each type, in ascending order.
    private var names: [BlockType: [ChordID]] = [:]

    /// An empty store.
    public init(capacity: Int = 1 << 30) { self.capacity = capacity }

    public func read(_ key: BlockKey) -> KeptBlock? { blocks[key] }

    public mutating func write(_ block: KeptBlock, for key: BlockKey) throws(BlockStoreError) {
        let previous = blocks[key]
        let new = byteCount - (previous?.data.count ?? 0) + block.data.count
        guard new <= capacity else { throw .full }
        byteCount = new
        blocks[key] = block
        expirations[key] = block.expiration == 0 ? nil : block.expiration
        let place = index(of: key)
        if previous == nil { names[key.type, default: []].insert(key.id, at: place) }
    }

    public mutating func remove(_ key: BlockKey) {
        guard let block = blocks.removeValue(forKey: key) else { return }
        byteCount -= block.data.count
        expirations[key] = nil
        let place = index(of: key)
        names[key.type]?.remove(at: place)
    }

    public func keys(of type: BlockType, after id: ChordID?, limit: Int) -> [ChordID] {
        let names = names[type] ?? []
        guard let id else { return Array(names.prefix(limit)) }
        let start = index(of: BlockKey(id, type))
        return Array(names[start...].drop { $0 == id }.prefix(limit))
    }

    public func expired(_ type: BlockType, at time: Int64, limit: Int) -> [ChordID] {
        let over = expirations.filter { $0.key.type == type && Int64($0.value) <= time }
        return over.sorted { ($0.value, $0.key.id) < ($1.value, $1.key.id) }.prefix(limit).map(\.key.id)
    }

    /// Where a name is, or would be.
    private func index(of key: BlockKey) -> Int {
        let names = names[key.type] ?? []
        var (low, high) = (0, names.count)
        while low < high {
            let middle = (low + high) / 2
            if names[middle] < key.id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
