public import CFSModel
public import NIOCore
public import ONCRPC

/// What a block of a file system is (CFS 2004, `sfsro_data`).
public enum FileBlock: XDRCodable, Hashable {
    /// What is known of a file.
    case inode(Inode)
    /// Bytes of a file.
    case data(ByteBuffer)
    /// The entries of a directory.
    case directory(Directory)
    /// Names of further blocks. The historic publisher fills up with zeros, which name none.
    case indirect([ChordID?])
    /// The root of a file system, which stands in a signed block.
    case root(FileSystemInfo)

    /// What blocks there are, by their numbers (CFS 2004, `dtype`).
    public enum Kind: UInt32, XDREnumeration, Hashable {
        /// `SFSRO_INODE`
        case inode = 0
        /// `SFSRO_FILEBLK`
        case data = 1
        /// `SFSRO_DIRBLK`
        case directory = 2
        /// `SFSRO_INDIR`
        case indirect = 3
        /// `CFS_FSINFO`
        case root = 4
    }

    /// Which one it is.
    public var kind: Kind {
        switch self {
        case .inode: .inode
        case .data: .data
        case .directory: .directory
        case .indirect: .indirect
        case .root: .root
        }
    }

    /// Reads the union. The historic type has an empty default; here a number without a case is an error.
    public init(from reader: inout XDRReader) throws(XDRError) {
        switch try reader.read(Kind.self) {
        case .inode: self = .inode(try reader.read())
        case .data: self = .data(try reader.readOpaque(max: CFSFileLimits.blockSizes.upperBound))
        case .directory: self = .directory(try reader.read())
        case .indirect: self = .indirect(try reader.readArray(of: BlockName.self, max: Self.namesMax).map(\.id))
        case .root: self = .root(try reader.read())
        }
    }

    /// Writes the union.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.write(kind)
        switch self {
        case .inode(let inode): try writer.write(inode)
        case .data(let data): try writer.writeOpaque(data, max: CFSFileLimits.blockSizes.upperBound)
        case .directory(let directory): try writer.write(directory)
        case .indirect(let names): try writer.writeArray(names.map { BlockName($0) }, max: Self.namesMax)
        case .root(let info): try writer.write(info)
        }
    }

    /// The most names that fit into the largest block that is allowed.
    private static let namesMax = FileLayout.namesPerBlock(ofSize: CFSFileLimits.blockSizes.upperBound)
}

/// A block as it is stored, and its name, the SHA-1 of its bytes.
public struct NamedBlock: Hashable, Sendable {
    /// The name.
    public let name: ChordID
    /// The bytes.
    public let bytes: ByteBuffer

    /// A block that gets its name.
    ///
    /// - Throws: ``FileSystemError`` if it cannot be written, or no gateway took it.
    public init(_ block: FileBlock) throws(FileSystemError) {
        do throws(XDRError) {
            bytes = try XDRWriter.bytes(of: block)
        } catch {
            throw FileSystemError(.malformed(error))
        }
        guard bytes.readableBytes <= CFSFileLimits.blockBytes else {
            throw FileSystemError(.tooLarge(bytes: bytes.readableBytes))
        }
        name = ChordID(hashing: bytes.readableBytesView)
    }
}
