import Glibc

/// Files of a few lines.
enum SmallFile {
    /// Bytes of the longest that is read.
    static let bytesMax = 4096

    /// - Returns: nil if there is no such file.
    static func read(_ path: String) throws -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0, errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw DiskError("read", Array(path.utf8CString)) }
        defer { close(descriptor) }
        var bytes = Array(repeating: UInt8(0), count: bytesMax + 1)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw DiskError("read", Array(path.utf8CString)) }
        guard count <= bytesMax else { throw DiskError("read", path, reason: "longer than \(bytesMax) bytes") }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    /// Makes a file that was not there.
    static func create(_ path: String, _ text: String, mode: mode_t) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw DiskError("make", Array(path.utf8CString)) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            let error = DiskError("write", Array(path.utf8CString))
            unlink(path)
            throw error
        }
    }

    /// Puts a file in the place of another one, all of it or nothing.
    static func replace(_ path: String, _ text: String) throws {
        let new = "\(path).\(getpid()).new"
        unlink(new)
        try create(new, text, mode: 0o600)
        guard rename(new, path) == 0 else {
            let error = DiskError("replace", Array(path.utf8CString))
            unlink(new)
            throw error
        }
    }
}
