import CLinux
import Glibc

/// The file system that a version sees: its release's layers under a private writable layer, the host's programs and
/// libraries read-only, the release's own over them, and nothing else of the host.
///
/// The data stay in the upper directory when the environment goes; nothing is copied to make one (R4).
struct RootFileSystem {
    /// What of the host appears, read-only: enough for programs that are linked against its C library.
    private static let shared = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]
    private static let devices = ["null", "zero", "full", "random", "urandom"]

    /// Where the runtime of VersionKit's own programs is.
    static let runtime = "/run/runtime"

    private let layout: Layout

    init(_ layout: Layout) { self.layout = layout }

    /// Mounts everything and makes it this process's root.
    func enter() throws(Failure) {
        guard vk_mount_private_recursive("/") == 0 else { throw Failure(call: "keep mounts private") }
        try mountLayers()
        try shareHost()
        try mountOwn()
        try mountDevices()
        try directory("/run/versionkit")
        try bind(layout.run, to: "/run/versionkit", readOnly: true)
        try mountTools()
        guard sethostname(layout.hostname, layout.hostname.utf8.count) == 0 else {
            throw Failure(call: "set host name")
        }
        guard chdir(layout.root) == 0, vk_pivot_root(".", ".") == 0, vk_umount2(".", Int32(MNT_DETACH)) == 0,
            chdir("/") == 0
        else { throw Failure(call: "change the root directory") }
    }

    func mountLayers() throws(Failure) {
        let stack = layout.lower.joined(separator: ":")
        let options = "lowerdir=\(stack),upperdir=\(layout.upper),workdir=\(layout.work),userxattr"
        try mount("overlay", at: layout.root, type: "overlay", options: options)
    }

    /// Shows the host's programs and libraries.
    func shareHost(linksOnly: Bool = false) throws(Failure) {
        for path in Self.shared { try share(path, linksOnly) }
    }

    /// One of the host's directories; where it is a symbolic link there, it is one here.
    private func share(_ path: String, _ linksOnly: Bool) throws(Failure) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFLNK {
            var target = [CChar](repeating: 0, count: Int(PATH_MAX))
            guard readlink(path, &target, target.count - 1) > 0 else { throw Failure(call: "read link \(path)") }
            guard symlink(target, layout.root + path) == 0 || errno == EEXIST else {
                throw Failure(call: "link \(path)")
            }
        } else if !linksOnly {
            try directory(path)
            let own = layout.lower.map { $0 + path }.filter(isDirectory)
            guard !own.isEmpty else { return try bind(path, to: path, readOnly: true) }
            // What a package has under /usr, say, needs the libraries that are there on the host.
            try mount(
                "overlay", at: layout.root + path, type: "overlay", flags: MS_RDONLY | MS_NOSUID | MS_NODEV,
                options: "lowerdir=\((own + [path]).joined(separator: ":")),userxattr")
        }
    }

    private func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private func mountOwn() throws(Failure) {
        try directory("/proc")
        try mount("proc", at: layout.root + "/proc", type: "proc", flags: MS_NOSUID | MS_NODEV | MS_NOEXEC)
        for path in ["/tmp", "/run"] {
            try directory(path)
            try mount("tmpfs", at: layout.root + path, type: "tmpfs", flags: MS_NOSUID | MS_NODEV, options: "size=64m")
        }
    }

    /// The node's `versionctl`, with which the boot registers the application's ports.
    private func mountTools() throws(Failure) {
        if !layout.versionctl.isEmpty {
            try directory("/run/tools")
            try file("/run/tools/versionctl")
            try bind(layout.versionctl, to: "/run/tools/versionctl", readOnly: true)
        }
        if !layout.runtime.isEmpty {
            try directory(Self.runtime)
            try bind(layout.runtime, to: Self.runtime, readOnly: true)
        }
    }

    private func mountDevices() throws(Failure) {
        try directory("/dev")
        try mount("tmpfs", at: layout.root + "/dev", type: "tmpfs", flags: MS_NOSUID, options: "size=64k,mode=755")
        for name in Self.devices {
            let path = "/dev/\(name)"
            try file(path)
            try bind(path, to: path, readOnly: false)
        }
        try directory("/dev/shm")
        try mount("tmpfs", at: layout.root + "/dev/shm", type: "tmpfs", options: "size=64m")
        // Terminals of its own, for operators' commands.
        try directory("/dev/pts")
        try mount("devpts", at: layout.root + "/dev/pts", type: "devpts", options: "newinstance,ptmxmode=0666")
        guard symlink("pts/ptmx", layout.root + "/dev/ptmx") == 0 else { throw Failure(call: "link /dev/ptmx") }
    }

    private func file(_ path: String) throws(Failure) {
        let descriptor = open(layout.root + path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure(call: "make \(path)") }
        close(descriptor)
    }

    private func directory(_ path: String) throws(Failure) {
        guard mkdir(layout.root + path, 0o755) == 0 || errno == EEXIST else { throw Failure(call: "make \(path)") }
    }

    private func bind(_ source: String, to path: String, readOnly: Bool) throws(Failure) {
        let target = layout.root + path
        try mount(source, at: target, type: nil, flags: MS_BIND | MS_REC)
        guard !readOnly || vk_mount_read_only_recursive(target) == 0 else { throw Failure(call: "protect \(path)") }
    }

    private func mount(
        _ source: String, at target: String, type: String?, flags: Int = 0, options: String? = nil
    ) throws(Failure) {
        guard vk_mount(source, target, type, UInt(flags), options) == 0 else { throw Failure(call: "mount \(target)") }
    }
}
