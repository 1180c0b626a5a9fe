import CLinux
import Glibc
import VersionKitProcesses

/// What an OCI runtime makes a container of, and then the runtime itself.
///
/// All of it is mounted in a mount namespace that only the runtime and the container are in: whoever is killed, and when,
/// nothing stays mounted. It stands in a directory of its own, which users who are nobody on the node can pass through.
enum Container {
    /// The descriptor of the lock, next to the agent's socket: runtimes close all others.
    static let lock: Int32 = 4

    /// Mounts everything and becomes the runtime. Its output, and the container's, goes to standard error, the log.
    static func enter(_ arguments: [String]) throws(Failure) -> Never {
        let parts = arguments.split(separator: "--", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let runtime = parts[1].first else { throw Failure("container: which runtime?") }
        let parent = getppid()
        var layout = try Layout(arguments: Array(parts[0]))
        try takeLock(layout.container.lock)
        guard vk_unshare(Int32(CLONE_NEWNS)) == 0, vk_mount_private_recursive("/") == 0 else {
            throw Failure(call: "make a mount namespace")
        }
        try mountStage(&layout)
        try passRoot(layout.root)
        try showControlGroups(layout.container.controlGroups)
        // To act as somebody else has cleared it.
        guard vk_set_parent_death_signal(SIGKILL) == 0, getppid() == parent else {
            throw Failure("nobody waits for it")
        }
        dup2(STDERR_FILENO, STDOUT_FILENO)
        withCStrings(Array(parts[1])) { arguments in
            withCStrings(ChildProcess.environment) { _ = execve(runtime, arguments, $0) }
        }
        throw Failure(call: "execute \(runtime)")
    }

    /// The descriptor is the runtime's and its children's, too, up to the agent, which closes it: whoever finds the lock
    /// free finds none of them at work.
    private static func takeLock(_ path: String) throws(Failure) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0, dup2(descriptor, lock) == lock else {
            throw Failure(call: "lock \(path)")
        }
        if descriptor != lock { close(descriptor) } else { _ = fcntl(lock, F_SETFD, 0) }
    }

    /// What the runtime makes read-only is a mount of its own.
    private static func passRoot(_ path: String) throws(Failure) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(call: "open \(path)") }
        if descriptor == WritableRoot.descriptor {
            _ = fcntl(descriptor, F_SETFD, 0)
        } else {
            guard dup2(descriptor, WritableRoot.descriptor) >= 0 else { throw Failure(call: "pass \(path) on") }
            close(descriptor)
        }
    }

    private static func mountStage(_ layout: inout Layout) throws(Failure) {
        let container = layout.container
        let stage = container.stage
        // Everything that is shown must be held before the stage covers the place where it may be.
        let owners = try userNamespace(container)
        var mounts = [(path: "own", mount: try clone(container.base, owners: owners))]
        for (path, source) in [("in", container.meeting), ("log", container.log)] where !source.isEmpty {
            mounts.append((path, try clone(source, owners: owners)))
        }
        for (index, layer) in layout.lower.enumerated() {
            mounts.append(("\(index)", try clone(layer, owners: owners)))
        }
        var shown = [("run", layout.run), ("versionctl", layout.versionctl), ("agent", container.agent)]
        if !layout.runtime.isEmpty { shown.append(("runtime", layout.runtime)) }
        for (path, source) in shown {
            // The node's sockets are for their owner, who is root inside.
            mounts.append((path, try clone(source, owners: path == "run" ? owners : nil)))
        }
        let configuration = open(container.configuration, O_RDONLY | O_CLOEXEC)
        guard configuration >= 0 else { throw Failure(call: "open \(container.configuration)") }

        guard vk_mount("stage", stage, "tmpfs", UInt(MS_NOSUID | MS_NODEV), "size=4m,mode=755") == 0 else {
            throw Failure(call: "mount \(stage)")
        }
        for (path, mount) in mounts {
            let target = "\(stage)/\(path)"
            try makeTarget(target, like: mount)
            guard vk_attach_mount(mount, target) == 0 else { throw Failure(call: "mount \(target)") }
        }
        for (path, _) in shown where vk_mount_read_only_recursive("\(stage)/\(path)") != 0 {
            throw Failure(call: "protect \(path)")
        }
        try copy(configuration, to: "\(stage)/config.json")

        layout.lower = layout.lower.indices.map { "\(stage)/\($0)" }
        (layout.upper, layout.work) = ("\(stage)/own/upper", "\(stage)/own/work")
        layout.root = "\(stage)/root"
        guard mkdir(layout.root, 0o755) == 0 else { throw Failure(call: "make \(layout.root)") }
        // In the layers nobody but their users can have anything made, not even root.
        if let first = container.firstOwner, vk_set_file_owner(first) != 0 { throw Failure(call: "act as \(first)") }
        let root = RootFileSystem(layout)
        try root.mountLayers()
        if container.sharing != .nothing { try root.shareHost(linksOnly: container.sharing == .links) }
        guard container.firstOwner == nil || vk_set_file_owner(0) == 0 else { throw Failure(call: "act as root") }
    }

    private static func userNamespace(_ container: ContainerLayout) throws(Failure) -> Int32? {
        guard let first = container.firstOwner else { return nil }
        let descriptor = vk_new_user_namespace(first, container.ownerCount)
        guard descriptor >= 0 else { throw Failure(call: "make a user namespace") }
        return descriptor
    }

    private static func clone(_ path: String, owners: Int32? = nil) throws(Failure) -> Int32 {
        let mount = vk_clone_mount(path)
        guard mount >= 0 else { throw Failure(call: "find \(path)") }
        if let owners, vk_map_mount(mount, owners) != 0 {
            let reason = String(cString: strerror(errno))
            throw Failure(
                "the file system of \(path) cannot show files as another user's (\(reason)): use ext4, XFS or Btrfs")
        }
        return mount
    }

    private static func makeTarget(_ path: String, like mount: Int32) throws(Failure) {
        var status = stat()
        guard fstat(mount, &status) == 0 else { throw Failure(call: "look at what is mounted at \(path)") }
        if status.st_mode & S_IFMT == S_IFDIR {
            guard mkdir(path, 0o755) == 0 else { throw Failure(call: "make \(path)") }
        } else {
            let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw Failure(call: "make \(path)") }
            close(descriptor)
        }
    }

    private static func copy(_ source: Int32, to path: String) throws(Failure) {
        let target = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard target >= 0 else { throw Failure(call: "make \(path)") }
        defer { close(target) }
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = read(source, &buffer, buffer.count)
            guard count != 0 else { return }
            guard count > 0, write(target, buffer, count) == count else { throw Failure(call: "write \(path)") }
        }
    }

    private static func showControlGroups(_ view: ContainerLayout.ControlGroups) throws(Failure) {
        switch view {
        case .all: return
        case .v1:
            guard vk_umount2("/sys/fs/cgroup/unified", Int32(MNT_DETACH)) == 0 else {
                throw Failure(call: "hide /sys/fs/cgroup/unified")
            }
        case .none:
            guard vk_mount("none", "/sys/fs/cgroup", "tmpfs", UInt(MS_NOSUID), "size=64k,mode=755") == 0 else {
                throw Failure(call: "hide /sys/fs/cgroup")
            }
        }
    }
}
