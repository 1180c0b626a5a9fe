import CFSRing

/// How much a store keeps.
public struct StoreCounts: Hashable, Sendable {
    /// Bytes of all.
    public private(set) var bytes = 0
    /// Fragments of blocks that are named by their content.
    public private(set) var fragments = 0
    /// Blocks that are named by a key.
    public private(set) var signedBlocks = 0
    /// Blocks that anybody may have named.
    public private(set) var unsignedBlocks = 0

    /// Nothing.
    public init() {}

    mutating func add(_ type: BlockType, count: Int = 1, bytes: Int) {
        self.bytes += bytes
        switch type {
        case .contentHash: fragments += count
        case .keyHash: signedBlocks += count
        case .noAuth: unsignedBlocks += count
        }
    }

    mutating func remove(_ type: BlockType, bytes: Int) { add(type, count: -1, bytes: -bytes) }

    mutating func add(_ other: Self) {
        bytes += other.bytes
        fragments += other.fragments
        signedBlocks += other.signedBlocks
        unsignedBlocks += other.unsignedBlocks
    }

    mutating func remove(_ other: Self) {
        bytes -= other.bytes
        fragments -= other.fragments
        signedBlocks -= other.signedBlocks
        unsignedBlocks -= other.unsignedBlocks
    }
}
