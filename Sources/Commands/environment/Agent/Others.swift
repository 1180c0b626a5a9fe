import CLinux
import Glibc
import VersionKitProcesses

/// Everything in an environment but its agent. For process 1 that is everybody; an agent among a host's other processes goes
/// by who descends from it, and keeps orphans below itself.
enum Others {
    private static let isAlone = getpid() == 1

    /// Sees to it that none of them can get away.
    static func keep() {
        if !isAlone, vk_set_child_subreaper(true) != 0 {
            Agent.fail("keep orphans: \(String(cString: strerror(errno)))")
        }
    }

    /// What is known of each.
    static var statuses: [ProcessStatus] {
        // In a machine its kernel's are there, too.
        isAlone ? ProcessStatus.all().filter { $0.pid != 1 && !$0.isKernelThread } : Descendants(of: getpid()).statuses
    }

    /// Sends each a signal; the answer to whoever wanted that.
    static func signal(_ number: Int32) -> String {
        guard isAlone else {
            return Descendants(of: getpid()).signal(number)
                ? "done 0" : "failed they multiply faster than they are found"
        }
        // From process 1 this reaches every other process of the namespace; there may be none.
        return kill(-1, number) == 0 || errno == ESRCH ? "done 0" : "failed \(String(cString: strerror(errno)))"
    }

    /// Kills each.
    static func end() {
        if isAlone { _ = signal(SIGKILL) } else { Descendants(of: getpid()).kill() }
    }
}
