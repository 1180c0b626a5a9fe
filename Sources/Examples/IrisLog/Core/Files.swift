import Glibc

/// The few file operations of this application, with typed errors.
enum Files {
    /// A whole file; nil if there is none.
    static func read(_ path: String, limit: Int) throws(IrisLogError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            if errno == ENOENT { return nil }
            throw failure("open", path)
        }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw failure("read", path) }
            if count == 0 { return content }
            guard content.count + count <= limit else { throw IrisLogError(.limit, "\(path) is too large") }
            content += chunk[..<count]
        }
    }

    /// Writes everything, however often the kernel takes only a part.
    static func write(_ bytes: [UInt8], to descriptor: Int32) throws(IrisLogError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.write(descriptor, raw.baseAddress?.advanced(by: done), raw.count - done)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failure("write", "file") }
            done += count
        }
    }

    /// Replaces a file so that after a crash either the old or the new content is there, never a mixture.
    static func replace(_ path: String, with bytes: [UInt8], in directory: String) throws(IrisLogError) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw failure("create", temporary) }
        defer { close(descriptor) }
        try write(bytes, to: descriptor)
        guard fsync(descriptor) == 0 else { throw failure("sync", temporary) }
        guard rename(temporary, path) == 0 else { throw failure("rename", temporary) }
        try synchronize(directory: directory)
    }

    /// Makes a directory's entries durable.
    static func synchronize(directory: String) throws(IrisLogError) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", directory) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("sync", directory) }
    }

    /// Creates a directory and those above it.
    static func createDirectory(_ path: String) throws(IrisLogError) {
        var prefix = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            prefix += "/\(part)"
            if mkdir(prefix, 0o750) != 0 && errno != EEXIST { throw failure("create", prefix) }
        }
    }

    static func failure(_ action: String, _ path: String) -> IrisLogError {
        let reason = strerror(errno).map { String(cString: $0) } ?? "error \(errno)"
        return IrisLogError(.internal, "cannot \(action) \(path): \(reason)")
    }
}
