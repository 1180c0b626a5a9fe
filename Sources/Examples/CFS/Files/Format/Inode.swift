import NIOCore
public import ONCRPC

/// What is known of a file besides its bytes (CFS 2004, `sfsro_inode`). Its block's name is the file's handle.
public struct Inode: Hashable, Sendable {
    /// What a file is, and where its bytes are.
    public enum Contents: Hashable, Sendable {
        /// A file.
        case regular(BlockMap)
        /// A file that may be executed.
        case executable(BlockMap)
        /// A directory, whose entries are one block whatever their size.
        case directory(BlockMap)
        /// A directory that may be searched, but not listed.
        case opaqueDirectory(BlockMap)
        /// A symbolic link, and what it points to.
        case link(target: [UInt8])
    }

    /// Where the file was when it was published, within its file system: `/a/b`.
    public var path: [UInt8]
    /// How many names the file had where it came from.
    public var linkCount: UInt32
    /// When its bytes changed.
    public var modified: FileTime
    /// When it or its bytes changed.
    public var changed: FileTime
    /// What it is.
    public var contents: Contents

    /// An inode.
    public init(path: [UInt8], linkCount: UInt32, modified: FileTime, changed: FileTime, contents: Contents) {
        self.path = path
        self.linkCount = linkCount
        self.modified = modified
        self.changed = changed
        self.contents = contents
    }

    /// The number of the file, for clients that need one.
    public var fileID: UInt64 { TreePath.fileID(ofPath: path) }

    /// How many bytes the file has: those of the target if it is a link.
    public var size: UInt64 {
        switch contents {
        case .regular(let map), .executable(let map), .directory(let map), .opaqueDirectory(let map): map.size
        case .link(let target): UInt64(target.count)
        }
    }

    /// Whether it is a directory of either kind.
    public var isDirectory: Bool {
        switch contents {
        case .directory, .opaqueDirectory: true
        case .regular, .executable, .link: false
        }
    }
}

/// The numbers of CFS 2004, `ftypero`.
private enum InodeType: UInt32, XDREnumeration {
    case regular = 1
    case executable = 2
    case directory = 3
    case opaqueDirectory = 4
    case link = 5
}

extension Inode: XDRCodable {
    /// Reads the union.
    public init(from reader: inout XDRReader) throws(XDRError) {
        let type: InodeType = try reader.read()
        path = try reader.readPath()
        linkCount = try reader.read()
        if type == .link {
            modified = try reader.read()
            changed = try reader.read()
            contents = .link(target: try reader.readPath())
            return
        }
        var map = BlockMap(size: try reader.read())
        map.used = try reader.read()
        modified = try reader.read()
        changed = try reader.read()
        map.direct = try reader.readArray(of: BlockName.self, max: CFSFileLimits.directBlocks).map(\.id)
        map.indirect = try reader.read(BlockName.self).id
        map.doubleIndirect = try reader.read(BlockName.self).id
        map.tripleIndirect = try reader.read(BlockName.self).id
        contents =
            switch type {
            case .regular: .regular(map)
            case .executable: .executable(map)
            case .directory: .directory(map)
            // A link was returned above.
            case .opaqueDirectory, .link: .opaqueDirectory(map)
            }
    }

    /// Writes the union.
    ///
    /// - Throws: `XDRError` if a path is too long, or there are more than 128 direct blocks.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        switch contents {
        case .link(let target):
            try writer.write(InodeType.link)
            try writer.writePath(path)
            try writer.write(linkCount)
            try writer.write(modified)
            try writer.write(changed)
            try writer.writePath(target)
        case .regular(let map): try write(.regular, map, to: &writer)
        case .executable(let map): try write(.executable, map, to: &writer)
        case .directory(let map): try write(.directory, map, to: &writer)
        case .opaqueDirectory(let map): try write(.opaqueDirectory, map, to: &writer)
        }
    }

    private func write(_ type: InodeType, _ map: BlockMap, to writer: inout XDRWriter) throws(XDRError) {
        try writer.write(type)
        try writer.writePath(path)
        try writer.write(linkCount)
        try writer.write(map.size)
        try writer.write(map.used)
        try writer.write(modified)
        try writer.write(changed)
        try writer.writeArray(map.direct.map { BlockName($0) }, max: CFSFileLimits.directBlocks)
        for name in [map.indirect, map.doubleIndirect, map.tripleIndirect] { try writer.write(BlockName(name)) }
    }
}

/// `nfspath3` (RFC 1813): bytes, as file systems have them.
extension XDRReader {
    fileprivate mutating func readPath() throws(XDRError) -> [UInt8] {
        Array(try readOpaque(max: CFSFileLimits.pathBytes).readableBytesView)
    }
}

extension XDRWriter {
    fileprivate mutating func writePath(_ path: [UInt8]) throws(XDRError) {
        try writeOpaque(ByteBuffer(bytes: path), max: CFSFileLimits.pathBytes)
    }
}
