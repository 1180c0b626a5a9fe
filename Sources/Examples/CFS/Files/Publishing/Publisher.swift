public import CFSModel
import NIOCore

/// Makes a file system of a directory tree: blocks named by their content from the files up to the root directory, and one
/// signed block that names that.
///
/// Equal trees give equal blocks, all but the root's. Of a file one block is in memory at a time, and of the tree the
/// directories from the root down to where it is.
public struct Publisher: Sendable {
    /// Bytes of a file in one block.
    public let blockSize: Int
    /// For how many seconds the publisher vouches for what is published (CFS 2004: a day).
    public var duration: UInt32

    private let key: SigningKey
    private let layout: FileLayout

    /// A publisher who signs with this key.
    ///
    /// - Throws: ``FileSystemError`` if blocks cannot have that size.
    public init(
        key: SigningKey, blockSize: Int = CFSFileLimits.standardBlockSize, duration: UInt32 = 86_400
    ) throws(FileSystemError) {
        guard let layout = FileLayout(blockSize: blockSize) else { throw FileSystemError(.badBlockSize(blockSize)) }
        self.key = key
        self.blockSize = blockSize
        self.layout = layout
        self.duration = duration
    }

    /// The name of what it publishes: that of the signed block.
    public var name: ChordID { key.verificationKey.blockName() }

    /// Publishes a tree, instead of what it published before.
    ///
    /// - Parameters:
    ///   - now: Seconds since the beginning of 1970. The version, unless there was a later one.
    ///   - previous: The version that is published now, if something is: the new one is later, whatever the clock says.
    ///   - history: What was published before, to be kept as snapshots, with blocks of the same size; nil keeps nothing.
    /// - Throws: ``FileSystemError``, and whatever the tree and the sink throw. Then what was published before is still.
    public func publish(
        _ tree: some FileTree, to sink: some BlockSink, at now: UInt32, after previous: UInt32? = nil,
        keeping history: SnapshotHistory? = nil
    ) async throws -> Publication {
        guard previous != .max else { throw FileSystemError(.noLaterVersion) }
        if let history, history.blockSize != blockSize, !history.snapshots.isEmpty {
            throw FileSystemError(.badBlockSize(blockSize))
        }
        let version = max(now, previous.map { $0 + 1 } ?? 0)
        var run = PublishingRun(tree: tree, sink: sink, layout: layout, history: history)
        let root = try await run.publishRoot()
        try await sink.settle()
        let info = FileSystemInfo(start: now, duration: duration, root: root, blockSize: UInt32(blockSize))
        let block = SignedBlock(try NamedBlock(.root(info)).bytes, version: version, by: key)
        try await sink.store(root: try Self.bytes(of: block), named: block.name)
        return Publication(name: block.name, version: version, root: root, counts: run.counts)
    }

    private static func bytes(of block: SignedBlock) throws(FileSystemError) -> ByteBuffer {
        do throws(SignedBlockError) {
            return try block.bytes
        } catch {
            throw FileSystemError(error)
        }
    }
}

/// What was published.
public struct Publication: Hashable, Sendable {
    /// How much of what there is.
    public struct Counts: Hashable, Sendable {
        /// Files.
        public var files = 0
        /// Directories, with the root.
        public var directories = 0
        /// Symbolic links.
        public var links = 0
        /// Bytes of the files.
        public var fileBytes: UInt64 = 0
        /// Blocks, those with equal content counted each time, without the root.
        public var blocks = 0
        /// Bytes of these blocks.
        public var blockBytes: UInt64 = 0
    }

    /// The name of the file system.
    public var name: ChordID
    /// The version of its root.
    public var version: UInt32
    /// The handle of its root directory.
    public var root: ChordID
    /// How much it was.
    public var counts: Counts
}
