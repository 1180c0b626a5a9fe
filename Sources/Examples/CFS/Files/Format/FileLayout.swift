/// Which blocks name which bytes of a file: 128 by the inode, the next ones by an indirect block, the next by a double and a
/// triple one (CFS 2004). A calculation, for one size of blocks.
///
/// The historic server forgot, beyond the first indirect block, that the blocks before had been counted already (mended on
/// 3 November 2004), so files of more than 128 + n blocks were read wrongly.
public struct FileLayout: Hashable, Sendable {
    /// The way from the inode to a block: for each indirect block, which of its names.
    public enum Way: Hashable, Sendable {
        /// The inode names it.
        case direct(Int)
        /// The indirect block names it.
        case single(Int)
        /// By way of the double indirect block.
        case double(Int, Int)
        /// By way of the triple indirect block.
        case triple(Int, Int, Int)
    }

    /// Bytes of a file in one block.
    public let blockSize: Int
    /// Names in one indirect block.
    public let namesPerBlock: Int

    /// The layout for blocks of this size; nil if blocks cannot have it.
    public init?(blockSize: Int) {
        guard CFSFileLimits.blockSizes.contains(blockSize) else { return nil }
        self.blockSize = blockSize
        namesPerBlock = Self.namesPerBlock(ofSize: blockSize)
    }

    /// How many names an indirect block has (CFS 2004, `nfh`): 202 for blocks of 8192 bytes.
    static func namesPerBlock(ofSize blockSize: Int) -> Int { (blockSize - 100) / 40 }

    /// How many blocks the largest file has.
    public var blocksMax: Int {
        CFSFileLimits.directBlocks + namesPerBlock * (1 + namesPerBlock * (1 + namesPerBlock))
    }

    /// Bytes of the largest file.
    public var sizeMax: UInt64 { UInt64(blocksMax) * UInt64(blockSize) }

    /// How many blocks a file of so many bytes has; nil if no file has so many.
    public func blockCount(ofSize size: UInt64) -> Int? {
        guard size <= sizeMax else { return nil }
        return Int((size + UInt64(blockSize) - 1) / UInt64(blockSize))
    }

    /// How many bytes are in a block of a file of that size; nil if there is no such block.
    public func byteCount(ofBlock index: Int, fileSize: UInt64) -> Int? {
        guard let count = blockCount(ofSize: fileSize), (0..<count).contains(index) else { return nil }
        return index < count - 1 ? blockSize : Int(fileSize - UInt64(index) * UInt64(blockSize))
    }

    /// The way to a block; nil if no file has so many.
    public func way(toBlock index: Int) -> Way? {
        let names = namesPerBlock
        guard index >= 0 else { return nil }
        var rest = index
        if rest < CFSFileLimits.directBlocks { return .direct(rest) }
        rest -= CFSFileLimits.directBlocks
        if rest < names { return .single(rest) }
        rest -= names
        if rest < names * names { return .double(rest / names, rest % names) }
        rest -= names * names
        guard rest < names * names * names else { return nil }
        return .triple(rest / (names * names), rest / names % names, rest % names)
    }

    /// The way to a byte, and where it is in its block; nil if no file is so long.
    public func way(toOffset offset: UInt64) -> (way: Way, offset: Int)? {
        guard offset < sizeMax, let way = way(toBlock: Int(offset / UInt64(blockSize))) else { return nil }
        return (way, Int(offset % UInt64(blockSize)))
    }
}
