public import CFSModel
import CFSProtocol
public import ONCRPC

/// The root of a file system (CFS 2004, `cfs_fsinfo`): what its publisher signs.
public struct FileSystemInfo: XDRCodable, Hashable {
    /// When it was published, in seconds since the beginning of 1970.
    public var start: UInt32
    /// For how many seconds its publisher vouches for it; a day at the historic one.
    public var duration: UInt32
    /// The block with the inode of the root directory.
    public var root: ChordID
    /// Bytes of a file in one block.
    public var blockSize: UInt32

    /// A root.
    public init(start: UInt32, duration: UInt32, root: ChordID, blockSize: UInt32) {
        self.start = start
        self.duration = duration
        self.root = root
        self.blockSize = blockSize
    }

    /// Reads the four of them.
    ///
    /// - Throws: `XDRError`; also if blocks cannot have that size.
    public init(from reader: inout XDRReader) throws(XDRError) {
        start = try reader.read()
        duration = try reader.read()
        root = try reader.read()
        let offset = reader.offset
        blockSize = try reader.read()
        guard CFSFileLimits.blockSizes.contains(Int(blockSize)) else {
            throw XDRError(.invalid("blocks of \(blockSize) bytes"), at: offset)
        }
    }

    /// Writes the four of them.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.write(start)
        try writer.write(duration)
        try writer.write(root)
        try writer.write(blockSize)
    }

    /// From this second since the beginning of 1970 on its publisher does not vouch for it any more.
    public var end: UInt64 { UInt64(start) + UInt64(duration) }

    /// Whether the publisher vouches for it at this second since the beginning of 1970.
    public func isCurrent(at now: UInt64) -> Bool { now >= UInt64(start) && now < end }
}
