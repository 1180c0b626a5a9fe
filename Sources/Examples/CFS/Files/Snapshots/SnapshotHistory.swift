import CFSModel
import NIOCore

/// The snapshots that a publication is to keep: those of the one before, and that one.
public struct SnapshotHistory: Sendable {
    /// The latest first.
    let snapshots: [Snapshot]
    /// Blocks of the latest that nobody has yet.
    let blocks: [NamedBlock]
    /// The block of the latest one's directory: whoever publishes the same again need not keep it.
    let latestDirectory: ChordID
    /// Bytes of a file in one block: the root says it once for all of them.
    let blockSize: Int

    /// What a publication after this one is to keep.
    ///
    /// - Parameter keep: How many snapshots; the earliest are left out. 1000 at most.
    /// - Throws: ``FileSystemError``, and whatever the source throws.
    public init(
        following previous: FileSystem<some BlockSource>, keep: Int = CFSFileLimits.snapshots
    ) async throws {
        let inode = try await previous.inode(previous.root)
        let entries = try await previous.directory(inode, previous.root).entries.filter { $0.name != .snapshots }
        let directory = try NamedBlock(.directory(Directory(entries)))
        let date = Snapshot(version: previous.version, root: previous.root).date
        let root = try NamedBlock(
            .inode(
                Inode(
                    path: TreePath.root.appending(.snapshots).bytes + Array("/\(date)".utf8),
                    linkCount: inode.linkCount,
                    modified: inode.modified, changed: inode.changed,
                    contents: .directory(
                        BlockMap(size: UInt64(directory.bytes.readableBytes), direct: [directory.name])))
            ))
        let latest = Snapshot(version: previous.version, root: root.name)
        let earlier = try await previous.snapshots().filter { $0.version < latest.version }
        snapshots = Array(([latest] + earlier).prefix(max(0, min(keep, CFSFileLimits.snapshots))))
        blocks = snapshots.isEmpty ? [] : [directory, root]
        latestDirectory = directory.name
        blockSize = Int(previous.info.blockSize)
    }

    /// Those to be kept beside a directory.
    func snapshots(beside directory: ChordID) -> [Snapshot] {
        directory == latestDirectory ? Array(snapshots.dropFirst()) : snapshots
    }
}
