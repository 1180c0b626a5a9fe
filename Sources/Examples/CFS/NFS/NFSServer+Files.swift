import CFSFiles
import CFSModel
import NFS3

/// A file that a handle means, in the publication that it is of.
struct ServedFile<Source: BlockSource> {
    var files: FileSystem<Source>
    /// What callers have.
    var handle: FileHandle
    /// Which inode that is now.
    var id: ChordID
    var inode: Inode
}

/// Handles and attributes.
extension NFSServer {
    /// The file that a handle means.
    func file(_ handle: NFSHandle) async -> Result<ServedFile<Source>, NFSFailure> {
        switch seal.open(handle) {
        case .failure(let failure): return .failure(failure)
        case .success(let handle):
            do {
                return .success(try await file(handle, in: published.current()))
            } catch let error as FileSystemError where error.code == .missing {
                // It was there once: nobody keeps it any more.
                return .failure(NFSFailure(.stale))
            } catch {
                return .failure(NFSFailure(status(error)))
            }
        }
    }

    func file(_ handle: FileHandle, in files: FileSystem<Source>) async throws -> ServedFile<Source> {
        switch handle.file {
        case .root:
            return ServedFile(files: files, handle: handle, id: files.root, inode: try await files.inode(files.root))
        case .inode(let id):
            let files = try files.laidOut(blockSize: Int(handle.blockSize))
            return ServedFile(files: files, handle: handle, id: id, inode: try await files.inode(id))
        }
    }

    /// The root, as callers have it.
    var root: FileHandle { FileHandle(file: .root, blockSize: 0) }

    /// A file that was found in a publication.
    func handle(_ id: ChordID, in files: FileSystem<Source>) -> FileHandle {
        id == files.root ? root : FileHandle(file: .inode(id), blockSize: files.info.blockSize)
    }

    func attributes(_ file: ServedFile<Source>) -> NFSAttributes {
        let inode = file.inode
        let type: NFSType
        let mode: UInt32
        switch inode.contents {
        case .regular: (type, mode) = (.regular, 0o444)
        case .executable: (type, mode) = (.regular, 0o555)
        case .directory: (type, mode) = (.directory, 0o555)
        case .opaqueDirectory: (type, mode) = (.directory, 0o111)
        case .link: (type, mode) = (.link, 0o777)
        }
        let modified = NFSTime(seconds: inode.modified.seconds, nanoseconds: inode.modified.nanoseconds)
        return NFSAttributes(
            type, mode: mode, linkCount: inode.linkCount, user: 0, group: 0, size: inode.size, used: inode.size,
            fileSystem: published.name.firstBytes, fileID: fileID(file.handle), accessed: modified, modified: modified,
            changed: NFSTime(seconds: inode.changed.seconds, nanoseconds: inode.changed.nanoseconds))
    }

    /// The number of a file: of the content, so that what has the same number is the same, in snapshots, too. The historic server
    /// took the path's, with which a snapshot's directory had the number of the present one's.
    func fileID(_ handle: FileHandle) -> UInt64 {
        switch handle.file {
        case .root: published.name.firstBytes
        case .inode(let id): id.firstBytes
        }
    }

    /// The directory above a directory, by the path in its inode; the root if that leads nowhere any more.
    func parent(of file: ServedFile<Source>) async throws -> ServedFile<Source> {
        let path = file.inode.path
        let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
        let files = try await published.current()
        do {
            let found = try await files.walk(Array(path[..<slash]), followsLast: false)
            guard found.inode.isDirectory else { return try await self.file(root, in: files) }
            let handle = handle(found.handle, in: files)
            return ServedFile(files: files, handle: handle, id: found.handle, inode: found.inode)
        } catch let error as FileSystemError where error.isAboutPath {
            return try await self.file(root, in: files)
        }
    }
}

extension FileSystemError {
    fileprivate var isAboutPath: Bool {
        switch code {
        case .noEntry, .notDirectory, .badPath, .tooManyLinks: true
        default: false
        }
    }
}

extension ChordID {
    /// The first eight of its bytes.
    fileprivate var firstBytes: UInt64 { bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
