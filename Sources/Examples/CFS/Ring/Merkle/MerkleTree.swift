public import CFSModel

/// A set of keys with a hash over every part of it, so that two nodes find out quickly where their sets differ (CFS 2004,
/// `merkle_tree`).
///
/// 64 ways at each level; a part with at most 64 keys is a leaf. Memory follows the keys: besides a key's 24 bytes there are
/// 56 for each child of an inner part, of which there are less than 64 for more than 64 keys, once for each level they share.
public struct MerkleTree: Sendable {
    private struct Part: Sendable {
        var count = 0
        var hash = MerkleHash.zero
        /// Of a leaf, in ascending order.
        var keys: [ChordID] = []
        /// Where the 64 children of an inner part begin; 0 for a leaf.
        var children = 0
    }

    private static let ways = 64
    /// The root, then groups of 64 children.
    private var parts = [Part()]
    /// Groups that are not in use.
    private var free: [Int] = []

    /// An empty set.
    public init() {}

    /// A set of keys.
    public init(_ keys: some Sequence<ChordID>) { for key in keys { insert(key) } }

    /// How many keys there are.
    public var count: Int { parts[0].count }

    /// Whether there is none.
    public var isEmpty: Bool { parts[0].count == 0 }

    /// The hash over all keys.
    public var hash: MerkleHash { parts[0].hash }

    /// Whether a key is there.
    public func contains(_ key: ChordID) -> Bool {
        let (part, _) = deepest(key, level: ChordID.merkleLevels)
        return Self.index(of: key, in: parts[part].keys).isThere
    }

    /// Adds a key; false if it was there.
    @discardableResult
    public mutating func insert(_ key: ChordID) -> Bool { insert(key, part: 0, level: 0) }

    /// Takes a key out; false if it was not there.
    @discardableResult
    public mutating func remove(_ key: ChordID) -> Bool { remove(key, part: 0, level: 0) }

    /// Keys from `start` through `end`, in ascending order, `limit` at most. Not around the circle: `start` is not above `end`.
    public func keys(from start: ChordID, through end: ChordID, limit: Int = .max) -> [ChordID] {
        var found: [ChordID] = []
        if start <= end { collect(part: 0, level: 0, prefix: ChordID(0), start, end, limit, &found) }
        return found
    }

    /// The first key at `id` or behind it, around the circle; nil if there is none at all.
    public func firstKey(from id: ChordID) -> ChordID? {
        keys(from: id, through: ChordID(0).previous, limit: 1).first
            ?? keys(from: ChordID(0), through: ChordID(0).previous, limit: 1).first
    }

    /// What is at a place of the tree: the part itself, or the leaf that it would be in.
    public func node(at level: Int, prefix: ChordID) -> MerkleNode {
        let (index, level) = deepest(prefix, level: min(max(0, level), ChordID.merkleLevels))
        let part = parts[index]
        let content: MerkleNode.Content =
            part.children == 0
            ? .leaf(part.keys)
            : .inner(parts[part.children..<part.children + Self.ways].map(\.hash))
        return MerkleNode(
            level: level, prefix: prefix.merklePrefix(level), count: UInt64(part.count), hash: part.hash,
            content: content)
    }

    // Walking.

    private func deepest(_ key: ChordID, level: Int) -> (part: Int, level: Int) {
        var (part, depth) = (0, 0)
        while depth < level, parts[part].children != 0 {
            part = parts[part].children + key.merkleSlot(depth)
            depth += 1
        }
        return (part, depth)
    }

    private static func index(of key: ChordID, in keys: [ChordID]) -> (index: Int, isThere: Bool) {
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return (low, low < keys.count && keys[low] == key)
    }

    private func collect(
        part: Int, level: Int, prefix: ChordID, _ start: ChordID, _ end: ChordID, _ limit: Int, _ found: inout [ChordID]
    ) {
        guard found.count < limit, parts[part].count > 0, prefix <= end, prefix.merkleEnd(level) >= start else {
            return
        }
        guard parts[part].children != 0 else {
            for key in parts[part].keys where key >= start && key <= end && found.count < limit { found.append(key) }
            return
        }
        for slot in 0..<(level == ChordID.merkleLevels - 1 ? 16 : Self.ways) {
            collect(
                part: parts[part].children + slot, level: level + 1, prefix: prefix.merkleChild(slot, below: level),
                start,
                end, limit, &found)
        }
    }

    // Changing.

    private mutating func insert(_ key: ChordID, part: Int, level: Int) -> Bool {
        if parts[part].children == 0 {
            let (index, isThere) = Self.index(of: key, in: parts[part].keys)
            guard !isThere else { return false }
            if parts[part].count < CFSLimits.keysPerMerkleNode {
                parts[part].keys.insert(key, at: index)
                parts[part].count += 1
                rehash(part)
                return true
            }
            split(part, level)
        }
        guard insert(key, part: parts[part].children + key.merkleSlot(level), level: level + 1) else { return false }
        parts[part].count += 1
        rehash(part)
        return true
    }

    private mutating func remove(_ key: ChordID, part: Int, level: Int) -> Bool {
        if parts[part].children == 0 {
            let (index, isThere) = Self.index(of: key, in: parts[part].keys)
            guard isThere else { return false }
            parts[part].keys.remove(at: index)
            parts[part].count -= 1
        } else {
            guard remove(key, part: parts[part].children + key.merkleSlot(level), level: level + 1) else {
                return false
            }
            parts[part].count -= 1
            if parts[part].count <= CFSLimits.keysPerMerkleNode { join(part) }
        }
        rehash(part)
        return true
    }

    private mutating func split(_ part: Int, _ level: Int) {
        let children: Int
        if let reused = free.popLast() {
            children = reused
        } else {
            children = parts.count
            parts.append(contentsOf: repeatElement(Part(), count: Self.ways))
        }
        for key in parts[part].keys {
            parts[children + key.merkleSlot(level)].keys.append(key)
            parts[children + key.merkleSlot(level)].count += 1
        }
        parts[part].keys = []
        parts[part].children = children
        for child in children..<children + Self.ways where parts[child].count > 0 { rehash(child) }
    }

    private mutating func join(_ part: Int) {
        // No child of so few keys has children of its own.
        let children = parts[part].children
        for child in children..<children + Self.ways {
            parts[part].keys += parts[child].keys
            parts[child] = Part()
        }
        parts[part].children = 0
        free.append(children)
    }

    private mutating func rehash(_ part: Int) {
        if parts[part].count == 0 {
            parts[part].hash = .zero
        } else if parts[part].children == 0 {
            parts[part].hash = MerkleHash(hashing: parts[part].keys.lazy.map { MerkleHash(key: $0) })
        } else {
            let children = parts[part].children
            parts[part].hash = MerkleHash(hashing: parts[children..<children + Self.ways].lazy.map(\.hash))
        }
    }
}

/// One part of a merkle tree as nodes show it to each other (CFS 2004, `merkle_rpc_node`).
public struct MerkleNode: Equatable, Sendable {
    /// What is in a part.
    public enum Content: Equatable, Sendable {
        /// All keys, 64 at most.
        case leaf([ChordID])
        /// The hashes of the 64 children.
        case inner([MerkleHash])
    }

    /// How many times the circle was divided by 64 to get to this part.
    public let level: Int
    /// The first key that could be in it.
    public let prefix: ChordID
    /// How many keys are in it.
    public let count: UInt64
    /// The hash over them.
    public let hash: MerkleHash
    /// The keys, or the hashes of the children.
    public let content: Content

    /// A part as somebody showed it.
    public init(level: Int, prefix: ChordID, count: UInt64, hash: MerkleHash, content: Content) {
        self.level = level
        self.prefix = prefix
        self.count = count
        self.hash = hash
        self.content = content
    }

    /// The last key that could be in it.
    public var end: ChordID { prefix.merkleEnd(level) }

    /// Whether no honest tree shows this: a level too deep, a prefix with more bits than the level has, too many keys, keys of
    /// another part, or fewer than 64 hashes.
    public var isNonsense: Bool {
        guard (0...ChordID.merkleLevels).contains(level), prefix.merklePrefix(level) == prefix else { return true }
        switch content {
        case .leaf(let keys):
            return keys.count > CFSLimits.keysPerMerkleNode || keys.contains { $0 < prefix || $0 > end }
        case .inner(let hashes): return hashes.count != 64 || level == ChordID.merkleLevels
        }
    }
}
