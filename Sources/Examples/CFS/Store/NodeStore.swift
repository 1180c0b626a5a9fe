public import CFSModel
public import CFSRing

/// What one virtual node keeps in the process's database.
public struct NodeStore: BlockStore {
    private let database: BlockDatabase
    private let node: Int

    /// The part of the virtual node with this number.
    public init(_ database: BlockDatabase, node: Int) {
        self.database = database
        self.node = node
    }

    public func read(_ key: BlockKey) -> KeptBlock? { database.read(BlockDatabase.Name(node: node, key: key)) }

    public mutating func write(_ block: KeptBlock, for key: BlockKey) throws(BlockStoreError) {
        try database.write(block, BlockDatabase.Name(node: node, key: key))
    }

    public mutating func add(_ block: KeptBlock, for key: BlockKey) throws(BlockStoreError) {
        try database.add(block, BlockDatabase.Name(node: node, key: key))
    }

    public mutating func remove(_ key: BlockKey) {
        // Nothing is added, so there is room for it; what cannot be collected stays, which is no loss.
        try? database.write(nil, BlockDatabase.Name(node: node, key: key))
    }

    public func keys(of type: BlockType, after id: ChordID?, limit: Int) -> [ChordID] {
        database.keys(node: node, type: type, after: id, limit: limit)
    }

    public func expired(_ type: BlockType, at time: Int64, limit: Int) -> [ChordID] {
        database.expired(node: node, type: type, at: time, limit: limit)
    }
}
