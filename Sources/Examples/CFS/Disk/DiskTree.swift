public import CFSFiles
import Glibc
public import NIOCore
import Synchronization

/// A directory of the disk, to be published. Symbolic links are published as such and never followed.
///
/// What is neither file nor directory nor link (sockets, pipes, devices) is left out, and named in ``skipped``.
public final class DiskTree: FileTree, Sendable {
    /// How many of the skipped are named.
    public static let skippedMax = 1000

    private let folder: String
    private let state = Mutex((skipped: [String](), files: 0, bytes: UInt64(0)))

    /// The tree below this directory; a link to one is followed.
    public init(_ folder: String) { self.folder = folder.isEmpty ? "." : folder }

    /// Paths that were left out, the first ones.
    public var skipped: [String] { state.withLock { $0.skipped } }

    /// How many files were read so far, and how many bytes.
    public var progress: (files: Int, bytes: UInt64) { state.withLock { ($0.files, $0.bytes) } }

    /// The directory.
    ///
    /// - Throws: ``DiskError``.
    public func root() throws -> TreeNode {
        let path = path(.root)
        var status = stat()
        guard stat(path, &status) == 0 else { throw DiskError("look at it", path) }
        guard let node = try node(status, path) else {
            throw DiskError("publish", folder, reason: "not a directory")
        }
        return node
    }

    /// What is in a directory.
    ///
    /// - Throws: ``DiskError``; also if there is more than a directory can have.
    public func list(_ directory: TreePath) throws -> [(name: FileName, node: TreeNode)] {
        let path = path(directory)
        guard let stream = opendir(path) else { throw DiskError("list", path) }
        defer { closedir(stream) }
        var found: [(name: FileName, node: TreeNode)] = []
        errno = 0
        while let entry = readdir(stream) {
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            guard let name = FileName(bytes) else { throw DiskError("list", path) }
            guard !name.isSpecial else { continue }
            guard found.count < CFSFileLimits.entries else {
                throw DiskError("publish", "\(directory)", reason: "more than \(CFSFileLimits.entries) files in it")
            }
            let child = self.path(directory.appending(name))
            var status = stat()
            guard lstat(child, &status) == 0 else { throw DiskError("look at it", child) }
            if let node = try node(status, child) {
                found.append((name, node))
            } else {
                state.withLock { state in
                    if state.skipped.count < Self.skippedMax { state.skipped.append("\(directory.appending(name))") }
                }
            }
            errno = 0
        }
        guard errno == 0 else { throw DiskError("list", path) }
        return found
    }

    /// Bytes of a file.
    ///
    /// - Throws: ``DiskError``; also if it has become something else.
    public func read(_ file: TreePath, at offset: UInt64, count: Int) throws -> ByteBuffer {
        let path = path(file)
        // Not a link, and not a pipe that would wait for somebody to write.
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskError("open", path) }
        defer { close(descriptor) }
        guard let position = off_t(exactly: offset) else { return ByteBuffer() }
        var bytes = ByteBuffer()
        let got = bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: count) {
            max(0, pread(descriptor, $0.baseAddress, count, position))
        }
        if got == 0, count > 0 {
            // The end, or a fault: only the system can tell.
            var byte: UInt8 = 0
            guard pread(descriptor, &byte, 1, position) >= 0 else { throw DiskError("read", path) }
        }
        state.withLock { state in
            if offset == 0 { state.files += 1 }
            state.bytes += UInt64(got)
        }
        return bytes
    }

    /// The path for the system, with a zero at its end.
    private func path(_ path: TreePath) -> [CChar] {
        (Array(folder.utf8) + (path.names.isEmpty ? [] : path.bytes) + [0]).map { CChar(bitPattern: $0) }
    }

    /// - Returns: nil for what cannot be published.
    private func node(_ status: stat, _ path: [CChar]) throws -> TreeNode? {
        let kind: TreeNode.Kind
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .file(isExecutable: status.st_mode & 0o111 != 0)
        // May be searched by everybody, and listed by nobody but its owner.
        case S_IFDIR: kind = .directory(isOpaque: status.st_mode & 0o055 == 0o011)
        case S_IFLNK: kind = .link(target: try target(path))
        default: return nil
        }
        return TreeNode(
            kind, modified: FileTime(status.st_mtim), changed: FileTime(status.st_ctim),
            linkCount: UInt32(clamping: status.st_nlink))
    }

    private func target(_ path: [CChar]) throws -> [UInt8] {
        var target = Array(repeating: CChar(0), count: CFSFileLimits.pathBytes + 1)
        let count = readlink(path, &target, target.count)
        guard count >= 0 else { throw DiskError("read the link", path) }
        return target.prefix(count).map { UInt8(bitPattern: $0) }
    }
}

extension FileTime {
    /// Before 1970 and after 2106 it is the nearest time that four bytes can say.
    fileprivate init(_ time: timespec) {
        self.init(seconds: UInt32(clamping: time.tv_sec), nanoseconds: UInt32(clamping: time.tv_nsec))
    }
}
