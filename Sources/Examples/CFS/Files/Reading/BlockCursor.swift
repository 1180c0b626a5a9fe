import CFSModel
import NIOCore

/// Finds the blocks of one file. It keeps the indirect blocks on the way to the last one, three at most, so that one block
/// after the other costs one question each.
struct BlockCursor<Source: BlockSource> {
    private let source: FileSystem<Source>
    private let map: BlockMap
    private let handle: ChordID
    /// The indirect blocks of the last way, the topmost first.
    private var trail: [(name: ChordID, names: [ChordID?])] = []
    /// How many blocks were fetched.
    private(set) var fetched = 0
    /// The source is told of blocks before this one.
    private let aheadEnd: Int
    /// It was told of those before this one.
    private var announced = 0

    /// - Parameter aheadEnd: The source is told of blocks up to this one, not included, as they come near.
    init(source: FileSystem<Source>, map: BlockMap, handle: ChordID, aheadEnd: Int) {
        self.source = source
        self.map = map
        self.handle = handle
        self.aheadEnd = min(aheadEnd, source.layout.blockCount(ofSize: map.size) ?? 0)
    }

    /// How many blocks the file has.
    var count: Int { source.layout.blockCount(ofSize: map.size) ?? 0 }

    /// Bytes of the file, as many as belong into this block.
    mutating func block(_ index: Int) async throws -> ByteBuffer {
        let layout = source.layout
        guard let way = layout.way(toBlock: index),
            let expected = layout.byteCount(ofBlock: index, fileSize: map.size)
        else { throw FileSystemError(.unnamedBlock(index: index), block: handle) }
        let name = try await name(at: way, index)
        await announce(behind: index)
        let block = try await source.fetch(name)
        fetched += 1
        guard case .data(let data) = block else {
            throw FileSystemError(.wrongKind(block.kind, expected: .data), block: name)
        }
        guard data.readableBytes == expected else {
            throw FileSystemError(.wrongLength(bytes: data.readableBytes, expected: expected), block: name)
        }
        return data
    }

    private mutating func name(at way: FileLayout.Way, _ index: Int) async throws -> ChordID {
        let name: ChordID?
        switch way {
        case .direct(let slot):
            name = map.direct.indices.contains(slot) ? map.direct[slot] : nil
        case .single(let slot): name = try await descend(from: map.indirect, [slot])
        case .double(let first, let second): name = try await descend(from: map.doubleIndirect, [first, second])
        case .triple(let first, let second, let third):
            name = try await descend(from: map.tripleIndirect, [first, second, third])
        }
        guard let name else { throw FileSystemError(.unnamedBlock(index: index), block: handle) }
        return name
    }

    private mutating func descend(from root: ChordID?, _ slots: [Int]) async throws -> ChordID? {
        var name = root
        for (level, slot) in slots.enumerated() {
            guard let block = name else { return nil }
            if level >= trail.count || trail[level].name != block {
                trail.removeSubrange(min(level, trail.count)...)
                trail.append((block, try await names(block)))
                fetched += 1
            }
            let names = trail[level].names
            name = names.indices.contains(slot) ? names[slot] : nil
        }
        return name
    }

    /// Tells the source what comes next, as far as it is known without asking for it.
    private mutating func announce(behind index: Int) async {
        announced = max(announced, index + 1)
        var names: [ChordID] = []
        while announced < min(aheadEnd, index + 1 + CFSFileLimits.readAhead), let next = known(announced) {
            if let name = next.name { names.append(name) }
            // What an indirect block names is known when it is there.
            if next.isIndirect { break }
            announced += 1
        }
        if !names.isEmpty { await source.source.expect(names) }
    }

    /// The name of a block, or of the indirect block that has it; nil if nothing has.
    private func known(_ index: Int) -> (name: ChordID?, isIndirect: Bool)? {
        let root: ChordID?
        let slots: [Int]
        switch source.layout.way(toBlock: index) {
        case .direct(let slot): return (map.direct.indices.contains(slot) ? map.direct[slot] : nil, false)
        case .single(let slot): (root, slots) = (map.indirect, [slot])
        case .double(let first, let second): (root, slots) = (map.doubleIndirect, [first, second])
        case .triple(let first, let second, let third): (root, slots) = (map.tripleIndirect, [first, second, third])
        case nil: return nil
        }
        var name = root
        for (level, slot) in slots.enumerated() {
            guard trail.indices.contains(level), trail[level].name == name else { return (name, true) }
            let names = trail[level].names
            name = names.indices.contains(slot) ? names[slot] : nil
        }
        return (name, false)
    }

    private func names(_ name: ChordID) async throws -> [ChordID?] {
        let block = try await source.fetch(name)
        guard case .indirect(let names) = block else {
            throw FileSystemError(.wrongKind(block.kind, expected: .indirect), block: name)
        }
        return names
    }
}
