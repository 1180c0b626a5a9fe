import CLinux
import Glibc
import VersionKitProcesses

/// The file of a Unix socket whose listener is gone: nobody but the next listener removes it.
enum StaleSocket {
    /// Removes it, if there is one at this path.
    ///
    /// - Throws: ``SystemError`` with `EADDRINUSE` if somebody listens there, with `EEXIST` if it is no socket at all.
    static func remove(_ path: String) throws(SystemError) {
        var found = stat()
        guard lstat(path, &found) == 0 else { return }
        guard found.st_mode & S_IFMT == S_IFSOCK else { throw SystemError("replace \(path)", code: EEXIST) }
        guard !isServed(path) else { throw SystemError("replace the socket \(path)", code: EADDRINUSE) }
        guard unlink(path) == 0 || errno == ENOENT else { throw SystemError("remove the socket \(path)") }
    }

    private static func isServed(_ path: String) -> Bool {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        // Refused: bound once, and closed. Anything else, a full queue for one, may be a listener.
        return vk_connect_unix(descriptor, path) == 0 || errno != ECONNREFUSED
    }
}
