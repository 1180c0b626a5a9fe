import Glibc
public import VersionKitModel
import VersionKitProcesses

extension UMLBackend {
    public func probe() async -> [IsolationFinding] {
        [
            IsolationFinding("User Mode Linux", obstacle: await kernelObstacle()),
            IsolationFinding("disks", obstacle: Self.programObstacle("mke2fs", package: "e2fsprogs")),
            IsolationFinding("private links", obstacle: EnvironmentLink.obstacle),
            IsolationFinding("memory of machines", obstacle: Self.memoryObstacle()),
            IsolationFinding("a user for each machine", obstacle: Self.userObstacle(), isRequired: false),
            IsolationFinding("limits of memory, tasks and disk", isRequired: false),
            IsolationFinding("limits of processors", obstacle: Cgroup.obstacle, isRequired: false),
            IsolationFinding("snapshots of files", isRequired: false),
            IsolationFinding(
                "more than one processor", obstacle: "a User Mode Linux kernel has one: use oci", isRequired: false),
            IsolationFinding(
                "snapshots with memory",
                obstacle: "a User Mode Linux kernel cannot be dumped, as it traces its processes: use oci or xen",
                isRequired: false),
        ]
    }

    private func kernelObstacle() async -> String? {
        guard access(kernel, X_OK) == 0 else {
            return "there is no \(kernel): install the package user-mode-linux, or name another kernel"
        }
        do throws(IsolationError) {
            try await execute(kernel, ["--version"])
            return nil
        } catch {
            return "\(error); name another kernel"
        }
    }

    private static func programObstacle(_ program: String, package: String) -> String? {
        Command.find(program) == nil ? "there is no \(program): install the package \(package)" : nil
    }

    /// The kernel maps its memory, a file there, with the right to execute it.
    private static func memoryObstacle() -> String? {
        // ST_NOEXEC, which only _GNU_SOURCE shows.
        let noExecution: UInt = 8
        var status = statvfs()
        guard statvfs("/dev/shm", &status) == 0 else {
            return "\(IsolationError.system("look at /dev/shm")); mount a tmpfs there"
        }
        return status.f_flag & noExecution != 0 ? "/dev/shm is mounted noexec: remount it with exec" : nil
    }

    private static func userObstacle() -> String? {
        UMLUser(slot: 0) == nil
            ? "this process may not choose users: machines run as its own. Run versiond as root" : nil
    }
}
