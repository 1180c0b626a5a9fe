public import CFSModel
public import NIOCore

/// Bytes of files.
extension FileSystem {
    /// Bytes of a file from an offset on, by its handle.
    ///
    /// - Parameter ahead: The source is told of so many blocks behind these: the caller is reading from front to back.
    /// - Returns: `count` bytes, 16 MiB at most; fewer at the end of the file, none behind it.
    /// - Throws: ``FileSystemError``, and whatever the source throws. Then nothing of what was asked for is believed.
    public func read(_ handle: ChordID, at offset: UInt64, count: Int, ahead: Int = 0) async throws -> ByteBuffer {
        try await read(inode(handle), handle, at: offset, count: count, ahead: ahead)
    }

    /// Bytes of a file whose inode is at hand.
    public func read(_ file: FoundFile, at offset: UInt64, count: Int, ahead: Int = 0) async throws -> ByteBuffer {
        try await read(file.inode, file.handle, at: offset, count: count, ahead: ahead)
    }

    /// Hands over a file from its beginning, block by block.
    ///
    /// - Throws: ``FileSystemError``, and whatever the source and the body throw. What was handed over before is right.
    public func forEachBlock(of file: FoundFile, _ body: (ByteBuffer) async throws -> Void) async throws {
        var blocks = BlockCursor(
            source: self, map: try fileMap(file.inode, file.handle), handle: file.handle, aheadEnd: .max)
        for index in 0..<blocks.count { try await body(blocks.block(index)) }
    }

    private func read(
        _ inode: Inode, _ handle: ChordID, at offset: UInt64, count: Int, ahead: Int
    ) async throws -> ByteBuffer {
        let map = try fileMap(inode, handle)
        guard offset < map.size, count > 0 else { return ByteBuffer() }
        let end = offset + min(map.size - offset, UInt64(min(count, CFSFileLimits.readBytes)))
        let blockEnd = Int((end - 1) / UInt64(layout.blockSize)) + 1
        var blocks = BlockCursor(source: self, map: map, handle: handle, aheadEnd: blockEnd + max(0, ahead))
        var data = ByteBuffer()
        var position = offset
        while position < end {
            var block = try await blocks.block(Int(position / UInt64(layout.blockSize)))
            block.moveReaderIndex(forwardBy: Int(position % UInt64(layout.blockSize)))
            guard let part = block.readSlice(length: Int(min(UInt64(block.readableBytes), end - position))) else {
                preconditionFailure("no more than the block has")
            }
            position += UInt64(part.readableBytes)
            data.writeImmutableBuffer(part)
        }
        return data
    }

    func fileMap(_ inode: Inode, _ handle: ChordID) throws(FileSystemError) -> BlockMap {
        switch inode.contents {
        case .regular(let map), .executable(let map): return map
        case .directory, .opaqueDirectory, .link: throw FileSystemError(.notFile, block: handle)
        }
    }
}
