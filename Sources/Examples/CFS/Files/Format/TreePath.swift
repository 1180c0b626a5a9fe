import CFSModel

/// Where a file is in its file system: the names from the root down to it, without `.` and `..`.
public struct TreePath: Hashable, Sendable {
    /// The names; none for the root.
    public private(set) var names: [FileName]

    /// The root.
    public static let root = Self(names: [])

    private init(names: [FileName]) { self.names = names }

    /// The file of this name below.
    public func appending(_ name: FileName) -> Self { Self(names: names + [name]) }

    /// The directory above; that of the root is the root.
    public var parent: Self { Self(names: names.dropLast()) }

    /// The path as an inode holds it: `/`, `/a`, `/a/b`.
    public var bytes: [UInt8] {
        names.isEmpty ? [UInt8(ascii: "/")] : names.flatMap { [UInt8(ascii: "/")] + $0.bytes }
    }

    /// The number of the file for clients that need one: the first eight bytes of the path's SHA-1 (CFS 2004,
    /// `path2fileid`).
    public var fileID: UInt64 { Self.fileID(ofPath: bytes) }

    /// The number of the file that has this path in its inode.
    public static func fileID(ofPath path: [UInt8]) -> UInt64 {
        ChordID(hashing: path).bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension TreePath: CustomStringConvertible {
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}
