import Glibc

/// A file that is put into an environment.
enum PlacedFile {
    /// Writes a file, in place of what is there, and makes the directories that it needs.
    static func write(_ contents: [UInt8], to path: String, mode: mode_t) throws(Failure) {
        guard path.hasPrefix("/") else { throw Failure("\(path) is not absolute") }
        var directory = ""
        for name in path.split(separator: "/").dropLast() {
            directory += "/\(name)"
            guard mkdir(directory, 0o755) == 0 || errno == EEXIST else { throw Failure(call: "make \(directory)") }
        }
        unlink(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw Failure(call: "make \(path)") }
        defer { close(descriptor) }
        var written = 0
        while written < contents.count {
            let count = contents[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw Failure(call: "write \(path)") }
            written += count
        }
        guard fchmod(descriptor, mode) == 0 else { throw Failure(call: "change the mode of \(path)") }
    }
}
