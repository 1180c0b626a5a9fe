import Glibc

/// Files on their way into an environment, through its agent.
extension AgentConnection {
    /// The largest file that is copied in, in bytes: configuration, not data.
    private static let fileBytesMax = 16 << 20

    /// Copies a directory's files to a place in the environment. Links are followed.
    func copyIn(_ directory: String, to path: String) async throws(IsolationError) {
        for name in try namesOfFiles(in: directory) {
            let (source, target) = ("\(directory)/\(name)", "\(path)/\(name)")
            var status = stat()
            guard stat(source, &status) == 0 else { throw .system("look at \(source)") }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try await copyIn(source, to: target)
            case S_IFREG: try await put(source, status, at: target)
            default: throw IsolationError("\(source) is neither a file nor a directory")
            }
        }
    }

    private func put(_ source: String, _ status: stat, at target: String) async throws(IsolationError) {
        guard status.st_size <= Self.fileBytesMax else {
            throw IsolationError("\(source) has more than \(Self.fileBytesMax) bytes")
        }
        let contents = try contents(of: source, count: Int(status.st_size))
        try await ask(
            ["put", String(status.st_mode & 0o7777, radix: 8), "\(contents.count)", target], contents: contents)
    }

    private func contents(of path: String, count: Int) throws(IsolationError) -> [UInt8] {
        guard let file = fopen(path, "re") else { throw .system("open \(path)") }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: count)
        guard fread(&bytes, 1, count, file) == count else { throw .system("read \(path)") }
        return bytes
    }
}

extension IsolationError {
    /// The system call that just failed.
    static func system(_ what: String) -> IsolationError {
        IsolationError("\(what): \(String(cString: strerror(errno)))")
    }
}
