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
    /// - Parameter blocksMax: How many blocks are fetched before it gives up.
    /// - Throws: ``FileSystemError`` for the first fault, and whatever the source throws.
    public func verify(blocksMax: Int = CFSFileLimits.verifiedBlocks) async throws -> VerificationCounts {
        var counts = VerificationCounts()
        // Each handle with its depth, from a block that was fetched: no more of them than blocks have entries.
        var pending: [(handle: ChordID, depth: Int)] = [(root, 0)]
        var seen: Set<ChordID> = [root]
        func count(_ blocks: Int) throws(FileSystemError) {
            counts.blocks += blocks
            guard counts.blocks <= blocksMax else { throw FileSystemError(.tooManyBlocks(max: blocksMax)) }
        }
        while let (handle, depth) = pending.popLast() {
            try count(1)
            let inode = try await inode(handle)
            switch inode.contents {
            case .link: counts.links += 1
            case .regular(let map), .executable(let map):
                var blocks = BlockCursor(source: self, map: map, handle: handle)
                for index in 0..<blocks.count {
                    let before = blocks.fetched
                    _ = try await blocks.block(index)
                    try count(blocks.fetched - before)
                }
                counts.files += 1
                counts.fileBytes += map.size
            case .directory, .opaqueDirectory:
                guard depth < CFSFileLimits.depth else { throw FileSystemError(.tooDeep(max: CFSFileLimits.depth)) }
                try count(1)
                for case let entry? in try await directory(inode, handle).entries.map(\.inode)
                where seen.insert(entry).inserted {
                    guard seen.count <= blocksMax else { throw FileSystemError(.tooManyBlocks(max: blocksMax)) }
                    pending.append((entry, depth + 1))
                }
                counts.directories += 1
            }
        }
        guard counts.directories > 0 else { throw FileSystemError(.rootIsNoDirectory, block: root) }
        return counts
    }
}
