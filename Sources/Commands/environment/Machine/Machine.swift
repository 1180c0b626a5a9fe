import CLinux
import Glibc

/// The first process of a machine that was booted from a disk with nothing but this program: finds the version's own disk,
/// makes a system of it, and becomes its agent.
struct Machine {
    /// Where the disk is mounted before it becomes the root.
    private static let root = "/root"
    /// Where control groups are, until the root is changed: nobody inside is to find them.
    private static let groups = "/groups"
    private static let devices: [(name: String, number: UInt32)] = [
        ("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9),
    ]

    private let layout: MachineLayout

    init(_ layout: MachineLayout) { self.layout = layout }

    /// Makes everything that an environment has.
    func boot() throws(Failure) {
        Self.makeConsolePlain()
        // What the file system did not lay out yet it need not write: every such block would take space on the node.
        try Self.mount(layout.disk, at: Self.root, type: "ext4", flags: MS_NOATIME, options: "noinit_itable")
        // Layers do not say whether everybody may go in.
        guard chmod(Self.root, 0o755) == 0 else { throw Failure(call: "open the root directory") }
        try mountSystem()
        try makeDevices()
        for (node, inside) in layout.shared { share(node, at: Self.root + inside) }
        guard sethostname(layout.hostname, layout.hostname.utf8.count) == 0 else {
            throw Failure(call: "set the host name")
        }
        try MachineNetwork(layout).configure()
        try limitTasks()
        guard chdir(Self.root) == 0, vk_pivot_root(".", ".") == 0, vk_umount2(".", Int32(MNT_DETACH)) == 0,
            chdir("/") == 0
        else { throw Failure(call: "change the root directory") }
    }

    /// What versions print is to be in the log as they print it.
    private static func makeConsolePlain() {
        var settings = termios()
        guard tcgetattr(STDERR_FILENO, &settings) == 0 else { return }
        cfmakeraw(&settings)
        tcsetattr(STDERR_FILENO, TCSANOW, &settings)
    }

    private func mountSystem() throws(Failure) {
        try Self.mount("proc", at: Self.root + "/proc", type: "proc", flags: MS_NOSUID | MS_NODEV | MS_NOEXEC)
        for path in ["/tmp", "/run"] {
            try Self.mount(
                "tmpfs", at: Self.root + path, type: "tmpfs", flags: MS_NOSUID | MS_NODEV, options: "size=64m")
        }
    }

    private func makeDevices() throws(Failure) {
        let directory = Self.root + "/dev"
        try Self.mount("tmpfs", at: directory, type: "tmpfs", flags: MS_NOSUID, options: "size=64k,mode=755")
        for (name, number) in Self.devices {
            let path = "\(directory)/\(name)"
            // Major number 1: memory devices.
            guard mknod(path, S_IFCHR | 0o666, dev_t(1 << 8 | number)) == 0, chmod(path, 0o666) == 0 else {
                throw Failure(call: "make \(path)")
            }
        }
        try Self.mount("tmpfs", at: directory + "/shm", type: "tmpfs", options: "size=64m")
        try Self.mount("devpts", at: directory + "/pts", type: "devpts", options: "newinstance,ptmxmode=0666")
        guard symlink("pts/ptmx", directory + "/ptmx") == 0 else { throw Failure(call: "link \(directory)/ptmx") }
    }

    /// Shows a directory of the node, read-only, unless the version's layers have something there themselves. One that the
    /// kernel's process may not see is missing; what needs it will say so.
    private func share(_ node: String, at path: String) {
        do throws(Failure) {
            guard Self.isEmpty(path) else { return }
            try Self.mount("node", at: path, type: "hostfs", flags: MS_RDONLY | MS_NOSUID | MS_NODEV, options: node)
        } catch {
            Agent.log("the node's \(node) is not shared: \(error)")
        }
    }

    private static func isEmpty(_ path: String) -> Bool {
        guard let directory = opendir(path) else { return errno == ENOENT }
        defer { closedir(directory) }
        var count = 0
        // Two names are in every directory.
        while count < 3, readdir(directory) != nil { count += 1 }
        return count < 3
    }

    /// By a group with everything but the kernel's own threads; `nsdelegate`: no program can reach its limit from a user
    /// namespace of its own either.
    private func limitTasks() throws(Failure) {
        guard let tasksMax = layout.tasksMax else { return }
        try Self.mount("none", at: Self.groups, type: "cgroup2", options: "nsdelegate")
        try Self.write("+pids", to: Self.groups + "/cgroup.subtree_control")
        let group = Self.groups + "/version"
        guard mkdir(group, 0o755) == 0 else { throw Failure(call: "make \(group)") }
        try Self.write("\(tasksMax)", to: group + "/pids.max")
        try Self.write("\(getpid())", to: group + "/cgroup.procs")
    }

    static func write(_ text: String, to path: String) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(call: "open \(path)") }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count else {
            throw Failure(call: "write \(text) to \(path)")
        }
    }

    private static func mount(
        _ source: String, at target: String, type: String, flags: Int = 0, options: String? = nil
    ) throws(Failure) {
        guard mkdir(target, 0o755) == 0 || errno == EEXIST || errno == EROFS else {
            throw Failure(call: "make \(target)")
        }
        guard vk_mount(source, target, type, UInt(flags), options) == 0 else { throw Failure(call: "mount \(target)") }
    }
}
