/// Bounds of file systems in one place: nothing that is read grows without one of these.
public enum CFSFileLimits {
    /// Bytes of one block as it is stored: what a gateway lets through.
    public static let blockBytes = 1024 * 1024
    /// Bytes of a file in one block. The historic publisher allowed 512 bytes to 4 MiB; what is more than a stored block, with
    /// the eight bytes before the data, no gateway takes.
    public static let blockSizes: ClosedRange<Int> = 512...(blockBytes - 8)
    /// Bytes of a file in one block where nobody says otherwise (CFS 2004, `sfsrodb -b`).
    public static let standardBlockSize = 8192
    /// Names of blocks that an inode holds itself (CFS 2004, `SFSRO_NDIR`).
    public static let directBlocks = 128
    /// Bytes of the name of a file.
    public static let nameBytes = 255
    /// Bytes of a path, and of what a symbolic link points to.
    public static let pathBytes = 4096
    /// Directories within each other.
    public static let depth = 128
    /// Entries of one directory: more do not fit into one block.
    public static let entries = blockBytes / 40
    /// Symbolic links on one path.
    public static let links = 40
    /// Bytes that one call reads.
    public static let readBytes = 16 * 1024 * 1024
    /// Blocks of a file that a source is told of before they are needed (CFS 2004 fetched 8 ahead).
    public static let readAhead = 16
    /// Files that are verified together, so that a source is told of their inodes and first blocks in time.
    static let verifiedTogether = 64
    /// Blocks that the verification of a whole file system fetches, unless its caller says otherwise.
    public static let verifiedBlocks = 16 * 1024 * 1024
    /// Seconds by which a publisher's clock may be ahead of a reader's.
    public static let clockTolerance: UInt64 = 300
    /// Earlier publications that a file system keeps.
    public static let snapshots = 1000
}
