import Glibc
import VersionKitProcesses

/// Makes everything beside the agent stand still. A signal is only on its way when `kill` returns, and whoever copies files
/// then might still meet the end of a write.
enum Pause {
    /// How long a process may take until it stands still, in milliseconds.
    private static let limit = 2000

    /// The answer to `pause`.
    static func begin() -> String {
        // All of them, once they stood still. Who was told while it made a child has that afterwards.
        var still: Set<pid_t>?
        for _ in 0..<limit {
            let answer = Others.signal(SIGSTOP)
            guard answer == "done 0" else { return answer }
            let others = Set(Others.statuses.map(\.pid))
            if others == still { return answer }
            still = others.allSatisfy(standsStill) ? others : nil
            if still == nil { poll(nil, 0, 1) }
        }
        _ = Others.signal(SIGCONT)
        return "failed a process did not stand still within \(limit) ms: it waits for a disk, or is under a debugger"
    }

    /// Whether all threads of a process have stopped, or it has ended.
    private static func standsStill(_ pid: pid_t) -> Bool {
        ProcessStatus.all(in: "/proc/\(pid)/task").allSatisfy { $0.isStopped || $0.isZombie }
    }
}
