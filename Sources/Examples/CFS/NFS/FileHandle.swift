import CFSModel
import Crypto
import NFS3
import NIOCore

/// What a handle of this server says: which file, by its content, and how its bytes are laid out.
///
/// The root has one that stays the same, and means whatever is published then; every other one means one inode for ever, so
/// that it survives a restart. A code that only this server can make keeps callers from inventing any: whoever has a handle
/// got it by way of the root.
struct FileHandle: Hashable {
    /// Which file.
    enum File: Hashable {
        /// The directory that is the root now.
        case root
        /// The file with this inode.
        case inode(ChordID)
    }

    /// Which file.
    var file: File
    /// Bytes of a file in one block, in the publication that the handle is of; 0 for the root, which says it itself.
    var blockSize: UInt32
}

/// Makes handles for one file system, and knows its own again.
struct HandleSeal: Sendable {
    private let name: ChordID
    private let key: SymmetricKey

    private static let label = "cfs-nfs-handle-1"
    private static let codeBytes = 16
    /// Kind, file system, block size, inode, code.
    static let byteCount = 1 + 8 + 4 + ChordID.byteCount + codeBytes

    /// - Parameter secret: What nobody but this server knows, the same each time it runs.
    init(name: ChordID, secret: [UInt8]) {
        self.name = name
        key = SymmetricKey(data: SHA256.hash(data: Array(Self.label.utf8) + secret))
    }

    func handle(_ handle: FileHandle) -> NFSHandle {
        let body = body(handle)
        return NFSHandle(ByteBuffer(bytes: body + code(body)))
    }

    /// - Returns: ``NFSStatus/badHandle`` for what no server of this kind made, ``NFSStatus/stale`` for what is of another one, of
    ///   another file system, or was changed.
    func open(_ handle: NFSHandle) -> Result<FileHandle, NFSFailure> {
        let bytes = Array(handle.bytes.readableBytesView)
        guard bytes.count == Self.byteCount, bytes[0] <= 1 else { return .failure(NFSFailure(.badHandle)) }
        let body = Array(bytes.dropLast(Self.codeBytes))
        // Every byte is compared, so that the time says nothing.
        let difference = zip(code(body), bytes.suffix(Self.codeBytes)).reduce(0) { $0 | ($1.0 ^ $1.1) }
        guard difference == 0 else { return .failure(NFSFailure(.stale)) }
        let blockSize = body[9..<13].reduce(0) { $0 << 8 | UInt32($1) }
        guard body[1..<9].elementsEqual(name.bytes.prefix(8)), let inode = ChordID(bigEndian: body[13...]) else {
            return .failure(NFSFailure(.stale))
        }
        return .success(FileHandle(file: bytes[0] == 0 ? .root : .inode(inode), blockSize: blockSize))
    }

    private func body(_ handle: FileHandle) -> [UInt8] {
        var kind: UInt8 = 0
        var inode = ChordID(0)
        if case .inode(let id) = handle.file { (kind, inode) = (1, id) }
        let size = stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: handle.blockSize >> $0) }
        return [kind] + name.bytes.prefix(8) + size + inode.bytes
    }

    private func code(_ body: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: body, using: key).prefix(Self.codeBytes))
    }
}

/// A status that is not OK.
struct NFSFailure: Error, Hashable {
    let status: NFSStatus

    init(_ status: NFSStatus) { self.status = status }
}
