#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Locks between all users of a store, in this process and in others. The kernel lets go of them when a process dies.
struct StoreLock: ~Copyable, Sendable {
    private let file: OpenFile

    init(_ path: String) throws(ReleaseError) {
        file = try OpenFile.locking(path)
    }

    /// Takes the lock alone, if nobody has it.
    func tryExclusive() throws(ReleaseError) -> Bool {
        while flock(file.descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return false }
            guard errno == EINTR else { throw ReleaseError.system("lock", file.path) }
        }
        return true
    }

    /// Waits for the lock and takes it alone.
    func exclusive() throws(ReleaseError) { try wait(LOCK_EX) }

    /// Waits for the lock and takes it together with others that share it.
    func shared() throws(ReleaseError) { try wait(LOCK_SH) }

    private func wait(_ operation: Int32) throws(ReleaseError) {
        while flock(file.descriptor, operation) != 0 {
            guard errno == EINTR else { throw ReleaseError.system("lock", file.path) }
        }
    }
}
