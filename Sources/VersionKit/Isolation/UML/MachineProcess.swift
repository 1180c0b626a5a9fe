import CLinux
import Glibc
import VersionKitProcesses

/// The processes of a machine on its node: its kernel, and one for each process inside. The kernel's number is in a file;
/// all of them are known by the directory that they work in, also after the kernel was killed and has left them behind.
struct MachineProcess: Sendable {
    /// How long the node's kernel may take to end what was killed.
    private static let endLimit = Duration.seconds(10)

    let directory: String
    let kernel: AgentProcess

    /// A descriptor of the kernel's process, the caller's; `nil` if it does not run.
    func open() -> Int32? {
        guard let pid = kernel.pid else { return nil }
        let pidfd = vk_pidfd_open(pid)
        guard pidfd >= 0 else { return nil }
        if kernel.pid == pid { return pidfd }
        // It has become another process.
        close(pidfd)
        return nil
    }

    /// Waits until the machine is switched off.
    ///
    /// - Returns: false if the time is up.
    func waitUntilOff(limit: Duration) async -> Bool {
        guard let pidfd = open() else { return true }
        let milliseconds = Int32(max(0, min(limit / .milliseconds(1), Double(Int32.max))))
        let isOff = await onThread("machine") {
            var entry = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
            return poll(&entry, 1, milliseconds) > 0
        }
        close(pidfd)
        return isOff
    }

    /// Kills whatever of the machine still runs, and waits until it is gone.
    func kill() async throws(IsolationError) {
        let deadline = ContinuousClock.now + Self.endLimit
        while true {
            let left = all()
            if left.isEmpty { return }
            guard ContinuousClock.now < deadline else {
                throw IsolationError("processes of \(directory) do not end: \(left)")
            }
            for pid in left { await end(pid) }
        }
    }

    private func end(_ pid: pid_t) async {
        let pidfd = vk_pidfd_open(pid)
        guard pidfd >= 0 else { return }
        // It may have become another one before it was opened.
        if isOurs(pid) {
            _ = vk_pidfd_send_signal(pidfd, SIGKILL)
            await onThread("machine") {
                var entry = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
                _ = poll(&entry, 1, 1000)
            }
        }
        close(pidfd)
    }

    /// The processor time that it has taken so far, in seconds. The kernel has heard of the end of each process inside.
    var processorSeconds: Double {
        Double(all().reduce(0) { $0 + (ProcessStatus(of: $1)?.ticks ?? 0) }) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// All that run.
    func all() -> [pid_t] {
        let names = (try? namesOfFiles(in: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter(isOurs)
    }

    /// Processes that have ended, and nobody has waited for, have no directory.
    private func isOurs(_ pid: pid_t) -> Bool {
        var status = stat()
        var own = stat()
        return stat("/proc/\(pid)/cwd", &status) == 0 && stat(directory, &own) == 0
            && (status.st_dev, status.st_ino) == (own.st_dev, own.st_ino)
    }
}

extension MachineProcess {
    /// Ends a conversation when the machine does: a machine that was switched off says nothing, not even that it is gone.
    func endWithMachine(_ connection: AgentConnection) {
        guard let pidfd = open() else { return connection.lose() }
        SystemThread(name: "machine") { [weak connection] in
            var entry = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
            while poll(&entry, 1, -1) < 0, errno == EINTR {}
            close(pidfd)
            connection?.lose()
        }.start()
    }
}
