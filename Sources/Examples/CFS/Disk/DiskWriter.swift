public import CFSFiles
import Glibc
public import NIOCore

/// Writes a tree to the disk, below a directory. What is there already is never replaced or followed: names come from a
/// publisher, and each is made anew, relative to a directory that was opened or made here.
public struct DiskWriter: ~Copyable {
    private let descriptor: Int32
    private let path: String

    /// A directory that is there, in which to make something.
    ///
    /// - Throws: ``DiskError``.
    public static func opening(_ path: String) throws -> DiskWriter {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskError("open", cString(path)) }
        return DiskWriter(descriptor, path)
    }

    private init(_ descriptor: Int32, _ path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Makes a directory in this one.
    ///
    /// - Throws: ``DiskError``.
    public func directory(_ name: FileName) throws -> DiskWriter {
        let bytes = Self.cString(name)
        guard mkdirat(descriptor, bytes, 0o777) == 0 else { throw error("make the directory", name) }
        let child = openat(descriptor, bytes, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard child >= 0 else { throw error("open", name) }
        return DiskWriter(child, "\(path)/\(name)")
    }

    /// Makes a file in this directory. Nothing of it is left if the body throws.
    ///
    /// - Parameter body: Gets what takes the file's bytes, one after the other.
    /// - Throws: ``DiskError``, and whatever the body throws.
    public func file(
        _ name: FileName, isExecutable: Bool, modified: FileTime,
        _ body: ((ByteBuffer) throws -> Void) async throws -> Void
    ) async throws {
        let bytes = Self.cString(name)
        let file = openat(
            descriptor, bytes, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, isExecutable ? 0o777 : 0o666)
        guard file >= 0 else { throw error("make", name) }
        defer { close(file) }
        do {
            try await body { try write($0, to: file, name) }
        } catch {
            unlinkat(descriptor, bytes, 0)
            throw error
        }
        setTime(modified) { futimens(file, $0) }
    }

    /// Makes a symbolic link in this directory.
    ///
    /// - Throws: ``DiskError``.
    public func link(_ name: FileName, to target: [UInt8], modified: FileTime) throws {
        let target = (target + [0]).map { CChar(bitPattern: $0) }
        guard symlinkat(target, descriptor, Self.cString(name)) == 0 else { throw error("make the link", name) }
        setTime(modified) { utimensat(descriptor, Self.cString(name), $0, AT_SYMLINK_NOFOLLOW) }
    }

    /// Says when this directory changed: after all is in it.
    public func finish(modified: FileTime) { setTime(modified) { futimens(descriptor, $0) } }

    private func write(_ bytes: ByteBuffer, to file: Int32, _ name: FileName) throws {
        var rest = bytes
        while rest.readableBytes > 0 {
            let count = rest.withUnsafeReadableBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw error("write", name) }
            rest.moveReaderIndex(forwardBy: count)
        }
    }

    /// A time that the file system cannot keep does not matter to what is in the files.
    private func setTime(_ time: FileTime, _ set: (UnsafePointer<timespec>?) -> Int32) {
        let time = timespec(tv_sec: Int(time.seconds), tv_nsec: Int(min(time.nanoseconds, 999_999_999)))
        _ = [time, time].withUnsafeBufferPointer { set($0.baseAddress) }
    }

    private func error(_ action: String, _ name: FileName) -> DiskError {
        DiskError(action, Self.cString("\(path)/\(name)"))
    }

    private static func cString(_ name: FileName) -> [CChar] { (name.bytes + [0]).map { CChar(bitPattern: $0) } }

    private static func cString(_ text: String) -> [CChar] { Array(text.utf8CString) }
}
