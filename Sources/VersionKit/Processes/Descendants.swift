import CLinux
import Glibc

/// The processes below another one, whatever sessions and groups they made, as long as that one is a child subreaper: then
/// orphans stay below it.
package struct Descendants: Sendable {
    /// How often those are looked for that began meanwhile. Enough for whoever is held by a limit of tasks; one who is not
    /// may multiply faster than anybody can count.
    private static let roundsMax = 200

    private let root: Int32

    /// Those of a process.
    package init(of root: Int32) { self.root = root }

    /// What is known of each. Of a zombie there may be threads that go on without the first one.
    package var statuses: [ProcessStatus] { ProcessStatus.all().descendants(of: root) }

    /// Sends each a signal, those too that begin meanwhile. A process that is just making a child when it is to stop has it
    /// afterwards; one that is killed has not.
    ///
    /// - Returns: whether all were reached.
    @discardableResult
    package func signal(_ number: Int32) -> Bool {
        var reached: Set<Int32> = []
        for _ in 0..<Self.roundsMax {
            let all = Set(statuses.map(\.pid))
            let new = all.subtracting(reached)
            if new.isEmpty { return true }
            for pid in new { send(number, to: pid, whoseParentIsIn: all) }
            reached.formUnion(new)
        }
        return false
    }

    /// Kills each. They are stopped first, so that none multiplies while others make room.
    package func kill() {
        signal(SIGSTOP)
        signal(SIGKILL)
    }

    /// A number may have become a stranger's since it was read. A process that is held by a descriptor stays what it is.
    private func send(_ number: Int32, to pid: Int32, whoseParentIsIn all: Set<Int32>) {
        let pidfd = vk_pidfd_open(pid)
        guard pidfd >= 0 else { return }
        defer { close(pidfd) }
        guard let parent = ProcessStatus(of: pid)?.parent, parent == root || all.contains(parent) else { return }
        _ = vk_pidfd_send_signal(pidfd, number)
    }
}
