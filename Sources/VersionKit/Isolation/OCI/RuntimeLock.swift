import Glibc

/// A file that is locked for as long as a runtime works: its process, those that it goes on in, and the container's until it
/// executes the agent. crun works in a process that nobody's end ends, and would make anew what was removed meanwhile.
struct RuntimeLock {
    /// How long whoever was killed may take to end.
    private static let limit = Duration.seconds(10)

    let file: String

    /// Ends every process of a runtime that is still at work: its maker has ended, and a container may wait for ever for it.
    func endHolders() async throws(IsolationError) {
        let descriptor = open(file, O_RDWR | O_CLOEXEC)
        // Then none has begun.
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let deadline = ContinuousClock.now + Self.limit
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw .system("lock \(file)") }
            guard ContinuousClock.now < deadline else {
                throw IsolationError(
                    "an OCI runtime does not come to an end; end whoever has \(file) open (fuser \(file))")
            }
            for pid in try namesOfFiles(in: "/proc").compactMap({ pid_t($0) }) where pid != getpid() && holds(pid) {
                kill(pid, SIGKILL)
            }
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    private func holds(_ pid: pid_t) -> Bool {
        var wanted = stat()
        var found = stat()
        // The lock has the same number in each of them.
        guard stat(file, &wanted) == 0, stat("/proc/\(pid)/fd/4", &found) == 0 else { return false }
        return wanted.st_dev == found.st_dev && wanted.st_ino == found.st_ino
    }
}
