import CFSModel

/// Names the blocks of a file, one after the other, and makes the indirect blocks as soon as they are full: no more names are
/// kept than one block of each level has.
struct BlockMapBuilder {
    private let layout: FileLayout
    private var map = BlockMap()
    /// Names that wait for their block to be full: of the topmost level first. One list below a single indirect block, three
    /// below a triple one.
    private var waiting: [[ChordID]] = []
    private var blockCount = 0

    init(layout: FileLayout) { self.layout = layout }

    /// Names the next block of the file, which has `bytes` of it.
    ///
    /// - Returns: Indirect blocks that are full, to be stored.
    /// - Throws: ``FileSystemError`` if no file has so many blocks.
    mutating func append(_ name: ChordID, bytes: Int) throws(FileSystemError) -> [NamedBlock] {
        guard let way = layout.way(toBlock: blockCount) else {
            throw FileSystemError(.fileTooLarge(bytes: map.size + UInt64(bytes)))
        }
        blockCount += 1
        map.size += UInt64(bytes)
        map.used = map.size
        if case .direct = way {
            map.direct.append(name)
            return []
        }
        if waiting.isEmpty { waiting = Array(repeating: [], count: way.levels) }
        waiting[waiting.count - 1].append(name)
        return try close(atLeast: layout.namesPerBlock)
    }

    /// The map, and the indirect blocks that are not full.
    mutating func finish() throws(FileSystemError) -> (BlockMap, [NamedBlock]) {
        let blocks = try close(atLeast: 1)
        return (map, blocks)
    }

    /// Makes blocks of the lists that have so many names, from the bottom up: each is named in the list above.
    private mutating func close(atLeast count: Int) throws(FileSystemError) -> [NamedBlock] {
        var blocks: [NamedBlock] = []
        for level in waiting.indices.reversed() {
            // Just closed, with nothing after it, below a list that has names: the file ends here.
            if waiting[level].isEmpty { continue }
            guard waiting[level].count >= count else { break }
            let block = try NamedBlock(.indirect(waiting[level]))
            blocks.append(block)
            waiting[level] = []
            if level > 0 {
                waiting[level - 1].append(block.name)
            } else {
                root(block.name)
            }
        }
        return blocks
    }

    /// The inode names the topmost block; what comes next is one level deeper.
    private mutating func root(_ name: ChordID) {
        switch waiting.count {
        case 1: map.indirect = name
        case 2: map.doubleIndirect = name
        default: map.tripleIndirect = name
        }
        waiting = []
    }
}

extension FileLayout.Way {
    /// How many indirect blocks are on it.
    var levels: Int {
        switch self {
        case .direct: 0
        case .single: 1
        case .double: 2
        case .triple: 3
        }
    }
}
