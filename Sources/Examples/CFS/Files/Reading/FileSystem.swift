public import CFSModel
import NIOCore
import ONCRPC

/// A file system to be read, of which every byte is checked: the root by its signature, everything below by its hash.
///
/// A value: it shows the tree as it was published, whatever is published later; ``open(_:from:seen:)`` anew shows that. Files
/// are named by handles, the names of their inodes' blocks; a handle never means anything else. Nothing is kept between two
/// calls: caches belong into the source.
public struct FileSystem<Source: BlockSource>: Sendable {
    /// The name under which it was opened: the hash of its publisher's key.
    public let name: ChordID
    /// The version of the root. Whoever opens the file system again demands at least this one.
    public let version: UInt32
    /// What the publisher signed.
    public internal(set) var info: FileSystemInfo

    let source: Source
    var layout: FileLayout

    /// Opens what was published under a name.
    ///
    /// - Parameters:
    ///   - seen: The version that was seen last, which refuses older ones; nil if none was.
    ///   - now: Seconds since the beginning of 1970: what the publisher does not vouch for then is refused. It may begin up to
    ///     ``CFSFileLimits/clockTolerance`` later, as clocks differ. Nil: whatever was signed once.
    /// - Throws: ``FileSystemError``, and whatever the source throws.
    public static func open(
        _ name: ChordID, from source: Source, seen: UInt32? = nil, at now: UInt64? = nil
    ) async throws -> Self {
        guard let bytes = try await source.signedBlock(name) else {
            throw FileSystemError(.missing, block: name)
        }
        let block: SignedBlock
        do throws(SignedBlockError) {
            block = try SignedBlock(bytes, named: name, seen: seen)
        } catch {
            throw FileSystemError(error)
        }
        let root = try FileBlock(block.data, in: name)
        guard case .root(let info) = root else {
            throw FileSystemError(.wrongKind(root.kind, expected: .root), block: name)
        }
        guard let layout = FileLayout(blockSize: Int(info.blockSize)) else {
            throw FileSystemError(.badBlockSize(Int(info.blockSize)), block: name)
        }
        if let now {
            guard now < info.end else { throw FileSystemError(.expired(info.end), block: name) }
            guard now + CFSFileLimits.clockTolerance >= info.start else {
                throw FileSystemError(.early(info.start), block: name)
            }
        }
        return Self(name: name, version: block.version, info: info, source: source, layout: layout)
    }

    /// The handle of the root directory.
    public var root: ChordID { info.root }

    /// Tells the source that these files will be asked for soon.
    public func expect(_ handles: [ChordID]) async { await source.expect(handles) }

    /// Tells the source that the beginnings of these files will be read soon, and directories be listed.
    public func expectContents(of files: [FoundFile]) async {
        await source.expect(files.compactMap { $0.inode.blockMap?.direct.first ?? nil })
    }

    /// The inode that a handle names.
    ///
    /// - Throws: ``FileSystemError``, and whatever the source throws.
    public func inode(_ handle: ChordID) async throws -> Inode {
        let block = try await fetch(handle)
        guard case .inode(let inode) = block else {
            throw FileSystemError(.wrongKind(block.kind, expected: .inode), block: handle)
        }
        if let map = inode.blockMap, layout.blockCount(ofSize: map.size) == nil, !inode.isDirectory {
            throw FileSystemError(.fileTooLarge(bytes: map.size), block: handle)
        }
        return inode
    }

    /// The same with blocks of another size: for files whose handles are of a publication that had it.
    ///
    /// - Throws: ``FileSystemError`` if blocks cannot have that size.
    public func laidOut(blockSize: Int) throws(FileSystemError) -> Self {
        guard let layout = FileLayout(blockSize: blockSize) else {
            throw FileSystemError(.badBlockSize(blockSize), block: name)
        }
        var files = self
        files.layout = layout
        files.info.blockSize = UInt32(blockSize)
        return files
    }

    /// A block that is checked against its name.
    func fetch(_ name: ChordID) async throws -> FileBlock {
        guard let bytes = try await source.block(name) else { throw FileSystemError(.missing, block: name) }
        guard bytes.readableBytes <= CFSFileLimits.blockBytes else {
            throw FileSystemError(.tooLarge(bytes: bytes.readableBytes), block: name)
        }
        guard ChordID(hashing: bytes.readableBytesView) == name else {
            throw FileSystemError(.wrongContent, block: name)
        }
        return try FileBlock(bytes, in: name)
    }
}

extension FileBlock {
    /// Reads a block that was fetched by a name.
    init(_ bytes: ByteBuffer, in name: ChordID) throws(FileSystemError) {
        do throws(XDRError) {
            self = try XDRReader.readAll(bytes)
        } catch {
            throw FileSystemError(.malformed(error), block: name)
        }
    }
}

extension Inode {
    /// Where its bytes are; nil for a link.
    var blockMap: BlockMap? {
        switch contents {
        case .regular(let map), .executable(let map), .directory(let map), .opaqueDirectory(let map): map
        case .link: nil
        }
    }
}
