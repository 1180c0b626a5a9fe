import Glibc

/// Space on the disk that nobody but the journal gets: given up when the disk is full, so that an upgrade can still be
/// undone, and taken again as soon as there is some.
struct Reserve: Sendable {
    /// Some thousands of the journal's writes.
    static let bytes = 4 << 20

    let path: String

    /// Takes the space, unless it is taken, or not there.
    func take() {
        guard access(path, F_OK) != 0 else { return }
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        let isTaken = posix_fallocate(file, 0, Self.bytes) == 0
        close(file)
        if !isTaken { unlink(path) }
    }

    /// Gives it up, also if a process that is just started has the file open for a moment; false: there was nothing to give.
    func release() -> Bool { truncate(path, 0) == 0 && unlink(path) == 0 }
}
