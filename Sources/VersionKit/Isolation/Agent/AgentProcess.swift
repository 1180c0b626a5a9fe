import CLinux
import Glibc
import VersionKitProcesses

/// The process of an agent on this node, in a file for whoever does not know it: its number, and when it began, by which
/// another process with that number is told apart.
struct AgentProcess: Sendable {
    /// How long the kernel may take to end what was killed.
    private static let endLimitMilliseconds: Int32 = 10_000

    /// Where the number is kept.
    let file: String

    /// Keeps a process's number.
    func record(_ pid: pid_t) throws(IsolationError) {
        guard let beginning = Self.beginning(of: pid) else { throw IsolationError("the environment has ended") }
        guard let stream = fopen(file, "we") else { throw .system("make \(file)") }
        fputs("\(pid) \(beginning)", stream)
        guard fclose(stream) == 0 else { throw .system("write \(file)") }
    }

    /// The process's number, if it runs.
    var pid: pid_t? {
        guard let stream = fopen(file, "re") else { return nil }
        defer { fclose(stream) }
        var buffer = [UInt8](repeating: 0, count: 64)
        let words = String(decoding: buffer[..<fread(&buffer, 1, buffer.count, stream)], as: UTF8.self)
            .split(separator: " ")
        guard words.count == 2, let pid = pid_t(words[0]), Self.beginning(of: pid) == String(words[1]) else {
            return nil
        }
        return pid
    }

    /// Waits for its end, which was asked for.
    ///
    /// - Parameter kills: whether it is made to end.
    func waitUntilGone(kills: Bool) async {
        guard let pid else { return }
        let pidfd = vk_pidfd_open(pid)
        guard pidfd >= 0 else { return }
        // It may have become another one before it was opened.
        if self.pid == pid {
            if kills { _ = vk_pidfd_send_signal(pidfd, SIGKILL) }
            await onThread("environment") {
                var entry = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
                if poll(&entry, 1, Self.endLimitMilliseconds) == 0 {
                    _ = vk_pidfd_send_signal(pidfd, SIGKILL)
                    _ = poll(&entry, 1, Self.endLimitMilliseconds)
                }
            }
        }
        close(pidfd)
    }

    /// When a process began, in ticks since the machine did; `nil` if it has ended.
    private static func beginning(of pid: pid_t) -> String? {
        guard let stream = fopen("/proc/\(pid)/stat", "re") else { return nil }
        defer { fclose(stream) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let text = String(decoding: buffer[..<fread(&buffer, 1, buffer.count, stream)], as: UTF8.self)
        // The name, in brackets, may contain anything. Zombies have ended.
        guard let fields = text.split(separator: ")").last?.split(separator: " "), fields.count > 19, fields[0] != "Z"
        else { return nil }
        return String(fields[19])
    }
}
