import Testing
import VersionKitModel

@testable import VersionKitIsolation

/// Goal: limits are written where a machine has control groups, of whichever version. Method: text of mounts, no machine.
@Suite("Where control groups are")
struct CgroupMountsTests {
    private static let first = """
        tmpfs /sys/fs/cgroup tmpfs rw,relatime,mode=755 0 0
        cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0
        cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
        cgroup /sys/fs/cgroup/pids cgroup rw,relatime,pids 0 0
        cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
        """
    private static let second = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n"
    private static let limits = ResourceLimits(memoryBytes: 64 << 20, processors: 1.5, tasks: 20)

    @Test("version 1 has a tree for each controller, even with a version 2 that has other ones")
    func version1() throws {
        let mounts = CgroupMounts(mounts: Self.first) { _ in "hugetlb\n" }
        #expect(
            mounts.trees.map(\.path) == ["/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids"])
        // A container's group is removed from all.
        #expect(mounts.paths == mounts.trees.map(\.path) + ["/sys/fs/cgroup/unified"])
        #expect(
            try mounts.settings(Self.limits) == [
                CgroupSetting("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "67108864"),
                CgroupSetting("/sys/fs/cgroup/memory", "memory.memsw.limit_in_bytes", "67108864", isOptional: true),
                CgroupSetting("/sys/fs/cgroup/pids", "pids.max", "20"),
                CgroupSetting("/sys/fs/cgroup/cpu,cpuacct", "cpu.cfs_period_us", "100000"),
                CgroupSetting("/sys/fs/cgroup/cpu,cpuacct", "cpu.cfs_quota_us", "150000"),
            ])
    }

    @Test("version 2 has one tree")
    func version2() throws {
        let mounts = CgroupMounts(mounts: Self.second) { $0 == "/sys/fs/cgroup" ? "cpuset cpu io memory pids\n" : "" }
        #expect(mounts.trees.map(\.path) == ["/sys/fs/cgroup"])
        #expect(
            try mounts.settings(Self.limits) == [
                CgroupSetting("/sys/fs/cgroup", "memory.max", "67108864"),
                CgroupSetting("/sys/fs/cgroup", "memory.swap.max", "0", isOptional: true),
                CgroupSetting("/sys/fs/cgroup", "pids.max", "20"),
                CgroupSetting("/sys/fs/cgroup", "cpu.max", "150000 100000"),
            ])
    }

    @Test("a limit that nobody can hold is an error; no limit never is")
    func noControllers() throws {
        let mounts = CgroupMounts(mounts: "proc /proc proc rw 0 0\n") { _ in "" }
        #expect(try mounts.settings(ResourceLimits()) == [])
        #expect(throws: IsolationError.self) { try mounts.settings(ResourceLimits(tasks: 5)) }
    }
}
