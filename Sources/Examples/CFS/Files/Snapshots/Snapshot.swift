public import CFSModel

/// An earlier publication, which a file system keeps beside the present one.
///
/// It is a directory like any other: `.snapshots` at the root has one of each, named by the second that was its version. The
/// signature of the present root is that of the earlier ones, too, and who reads the tree needs to know nothing of them. The
/// directories of snapshots are the earlier roots without `.snapshots`, so that these do not lie within each other.
public struct Snapshot: Hashable, Sendable {
    /// The version that it had: the second of its publication since the beginning of 1970, or a little later.
    public var version: UInt32
    /// The handle of its root directory.
    public var root: ChordID

    /// What its directory is called: `2004-09-30T12:00:00Z`.
    public var date: String { "\(FileTime(seconds: version))" }
}

extension FileName {
    /// The directory of snapshots.
    public static let snapshots = known(".snapshots")

    private static func known(_ text: String) -> Self {
        guard let name = Self(text) else { preconditionFailure("a name that a file can have") }
        return name
    }
}

extension FileSystem {
    /// The earlier publications that are kept, the latest first. What is there besides them is passed over.
    ///
    /// - Throws: ``FileSystemError``, and whatever the source throws.
    public func snapshots() async throws -> [Snapshot] {
        guard let folder = try await directory(inode(root), root)[.snapshots]?.inode else { return [] }
        return try await list(folder).compactMap { entry in
            guard let handle = entry.inode, let time = FileTime(entry.name.description) else { return nil }
            return Snapshot(version: time.seconds, root: handle)
        }
        .sorted { $0.version > $1.version }
    }

    /// The file system as it was at an earlier second: the latest snapshot that is not later; the present one if that is
    /// not.
    ///
    /// - Throws: ``FileSystemError``: no snapshot; and whatever the source throws.
    public func asOf(_ time: FileTime) async throws -> Self {
        if version <= time.seconds { return self }
        guard let snapshot = try await snapshots().first(where: { $0.version <= time.seconds }) else {
            throw FileSystemError(.noSnapshot("\(time)"), block: name)
        }
        return opened(snapshot)
    }

    /// The file system as a snapshot of it was.
    public func opened(_ snapshot: Snapshot) -> Self {
        var earlier = self
        earlier.info.root = snapshot.root
        return earlier
    }
}
