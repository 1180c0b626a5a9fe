public import CFSModel

/// Where the bytes of a file or of a directory are (CFS 2004, a part of `sfsro_inode_reg`).
public struct BlockMap: Hashable, Sendable {
    /// How many bytes there are.
    public var size: UInt64
    /// How many bytes are stored for it; the publisher says `size`, and nobody reads it.
    public var used: UInt64
    /// The first blocks; 128 at most. The historic publisher fills up with zeros, which name none.
    public var direct: [ChordID?]
    /// The block that names the next ones.
    public var indirect: ChordID?
    /// The block that names blocks that name the next ones.
    public var doubleIndirect: ChordID?
    /// One level more.
    public var tripleIndirect: ChordID?

    /// A map.
    public init(
        size: UInt64 = 0, direct: [ChordID?] = [], indirect: ChordID? = nil, doubleIndirect: ChordID? = nil,
        tripleIndirect: ChordID? = nil
    ) {
        self.size = size
        used = size
        self.direct = direct
        self.indirect = indirect
        self.doubleIndirect = doubleIndirect
        self.tripleIndirect = tripleIndirect
    }
}
