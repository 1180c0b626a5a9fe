import CFSModel

/// What a verification saw.
public struct VerificationCounts: Hashable, Sendable {
    /// Files with different inodes.
    public var files = 0
    /// Directories with different inodes.
    public var directories = 0
    /// Symbolic links with different inodes.
    public var links = 0
    /// Bytes of these files.
    public var fileBytes: UInt64 = 0
    /// Blocks that were fetched, without the root's.
    public var blocks = 0
}

extension FileSystem {
    /// Fetches and checks everything from the root to the last byte of the last file.
    ///
    /// What is in several places is fetched once, so that a small tree of blocks that pretends to be an endless one ends soon.
    ///
    /// - Parameters:
    ///   - blocksMax: How many blocks are fetched before it gives up.
    ///   - progress: Is told now and then what was seen so far.
    /// - Throws: ``FileSystemError`` for the first fault, and whatever the source throws.
    public func verify(
        blocksMax: Int = CFSFileLimits.verifiedBlocks, progress: (VerificationCounts) -> Void = { _ in }
    ) async throws -> VerificationCounts {
        var verification = Verification(files: self, blocksMax: blocksMax)
        while try await verification.step() { progress(verification.counts) }
        guard verification.counts.directories > 0 else {
            throw FileSystemError(.rootIsNoDirectory, block: root)
        }
        return verification.counts
    }
}

/// What was verified, and what was found on the way and waits for it: no more than blocks that were fetched have entries.
private struct Verification<Source: BlockSource> {
    let files: FileSystem<Source>
    let blocksMax: Int
    private(set) var counts = VerificationCounts()
    private var pending: [(handle: ChordID, depth: Int)]
    private var seen: Set<ChordID>

    init(files: FileSystem<Source>, blocksMax: Int) {
        self.files = files
        self.blocksMax = blocksMax
        pending = [(files.root, 0)]
        seen = [files.root]
    }

    /// Verifies some of what is pending, together: the source hears of all their blocks before it is asked for the first.
    ///
    /// - Returns: Whether there was something.
    mutating func step() async throws -> Bool {
        guard !pending.isEmpty else { return false }
        let batch = pending.suffix(CFSFileLimits.verifiedTogether)
        pending.removeLast(batch.count)
        await files.source.expect(batch.map(\.handle))
        var found: [(inode: Inode, handle: ChordID, depth: Int)] = []
        for (handle, depth) in batch.reversed() {
            try count(1)
            found.append((try await files.inode(handle), handle, depth))
        }
        await files.source.expect(found.compactMap { $0.inode.blockMap?.direct.first ?? nil })
        for (inode, handle, depth) in found {
            switch inode.contents {
            case .link: counts.links += 1
            case .regular(let map), .executable(let map): try await verify(map, handle)
            case .directory, .opaqueDirectory: try await verifyDirectory(inode, handle, depth)
            }
        }
        return true
    }

    private mutating func verify(_ map: BlockMap, _ handle: ChordID) async throws {
        var blocks = BlockCursor(source: files, map: map, handle: handle, aheadEnd: .max)
        for index in 0..<blocks.count {
            let before = blocks.fetched
            _ = try await blocks.block(index)
            try count(blocks.fetched - before)
        }
        counts.files += 1
        counts.fileBytes += map.size
    }

    private mutating func verifyDirectory(_ inode: Inode, _ handle: ChordID, _ depth: Int) async throws {
        guard depth < CFSFileLimits.depth else { throw FileSystemError(.tooDeep(max: CFSFileLimits.depth)) }
        try count(1)
        for case let entry? in try await files.directory(inode, handle).entries.map(\.inode)
        where seen.insert(entry).inserted {
            guard seen.count <= blocksMax else { throw FileSystemError(.tooManyBlocks(max: blocksMax)) }
            pending.append((entry, depth + 1))
        }
        counts.directories += 1
    }

    private mutating func count(_ blocks: Int) throws(FileSystemError) {
        counts.blocks += blocks
        guard counts.blocks <= blocksMax else { throw FileSystemError(.tooManyBlocks(max: blocksMax)) }
    }
}
