import Glibc

/// One process at a time has a directory for itself. The lock ends with the process, however it ends.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    /// Makes the directory, and those above it that are not there, and takes it.
    init(_ directory: String) throws(BlockDatabaseError) {
        let ends = directory.indices.filter { directory[$0] == "/" && $0 != directory.startIndex }
        for parent in ends.map({ String(directory[..<$0]) }) where mkdir(parent, 0o755) != 0 && errno != EEXIST {
            throw Self.error(parent)
        }
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else { throw Self.error(directory) }
        let path = directory + "/lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.error(path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            // The descriptor is closed by `deinit`, which runs although this throws. Twice would close another one's.
            throw errno == EWOULDBLOCK ? .inUse(path: directory) : Self.error(path)
        }
    }

    deinit {
        guard descriptor >= 0 else { return }
        // A child that has not yet become another program has the descriptor too.
        flock(descriptor, LOCK_UN)
        Glibc.close(descriptor)
    }

    private static func error(_ path: String) -> BlockDatabaseError {
        .unusable(path: path, why: String(cString: strerror(errno)))
    }
}
