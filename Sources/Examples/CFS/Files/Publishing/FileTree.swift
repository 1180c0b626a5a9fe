public import NIOCore

/// A directory tree to be published: a directory of the disk, an archive, a test's dictionary.
///
/// It is asked for one thing after the other, from the root on. It should not change meanwhile; if it does, what is published
/// is whole all the same, but from different moments.
public protocol FileTree {
    /// What is at the root: a directory.
    func root() async throws -> TreeNode

    /// The files of a directory, in any order, without `.` and `..`; no more than ``CFSFileLimits/entries``.
    func list(_ directory: TreePath) async throws -> [(name: FileName, node: TreeNode)]

    /// Up to `count` bytes of a file: some unless it ends there, fewer if that is convenient.
    func read(_ file: TreePath, at offset: UInt64, count: Int) async throws -> ByteBuffer
}

/// What is at one place of a tree.
public struct TreeNode: Hashable, Sendable {
    /// What it is.
    public enum Kind: Hashable, Sendable {
        /// A file.
        case file(isExecutable: Bool)
        /// A directory; an opaque one may be searched, but not listed.
        case directory(isOpaque: Bool)
        /// A symbolic link.
        case link(target: [UInt8])

        /// A file that is not executable.
        public static let file = Self.file(isExecutable: false)
        /// A directory that may be listed.
        public static let directory = Self.directory(isOpaque: false)
    }

    /// What it is.
    public var kind: Kind
    /// When its bytes changed.
    public var modified: FileTime
    /// When it or its bytes changed.
    public var changed: FileTime
    /// How many names it has there.
    public var linkCount: UInt32

    /// A file, directory or link.
    ///
    /// - Parameter changed: nil: when it was modified.
    public init(_ kind: Kind, modified: FileTime, changed: FileTime? = nil, linkCount: UInt32 = 1) {
        self.kind = kind
        self.modified = modified
        self.changed = changed ?? modified
        self.linkCount = linkCount
    }
}
