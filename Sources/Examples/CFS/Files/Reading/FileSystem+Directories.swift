public import CFSModel

/// Directories and links, by their handles: what a server of NFS is asked.
extension FileSystem {
    /// The entries of a directory, in the order of its block.
    ///
    /// - Throws: ``FileSystemError``, and whatever the source throws.
    public func list(_ handle: ChordID) async throws -> [Directory.Entry] {
        let inode = try await inode(handle)
        if case .opaqueDirectory = inode.contents { throw FileSystemError(.notListable, block: handle) }
        return try await directory(inode, handle).entries
    }

    /// The handle of the file with this name in a directory; not of `.` and `..`, which no block can name: see
    /// ``walk(_:from:followsLast:)``.
    ///
    /// - Throws: ``FileSystemError``, and whatever the source throws.
    public func lookUp(_ name: FileName, in handle: ChordID) async throws -> ChordID {
        let directory = try await directory(inode(handle), handle)
        guard let entry = directory[name]?.inode else { throw FileSystemError(.noEntry(name), block: handle) }
        return entry
    }

    /// What a symbolic link points to.
    ///
    /// - Throws: ``FileSystemError``, and whatever the source throws.
    public func readLink(_ handle: ChordID) async throws -> [UInt8] {
        guard case .link(let target) = try await inode(handle).contents else {
            throw FileSystemError(.notLink, block: handle)
        }
        return target
    }

    /// The block of a directory's entries: one, whatever its size.
    func directory(_ inode: Inode, _ handle: ChordID) async throws -> Directory {
        guard inode.isDirectory, let map = inode.blockMap else {
            throw FileSystemError(.notDirectory, block: handle)
        }
        guard let first = map.direct.first, let name = first else {
            throw FileSystemError(.unnamedBlock(index: 0), block: handle)
        }
        let block = try await fetch(name)
        guard case .directory(let directory) = block else {
            throw FileSystemError(.wrongKind(block.kind, expected: .directory), block: name)
        }
        return directory
    }
}
