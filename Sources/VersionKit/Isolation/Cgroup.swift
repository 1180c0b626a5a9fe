import Glibc
import VersionKitModel

/// The control group of an environment, by which what its processes use together is limited. Its directories are at the top
/// of each tree of groups, and go with the environment.
struct Cgroup: Sendable {
    /// How long the processes of a group may take to end that were killed.
    private static let endLimit = Duration.seconds(10)

    /// Its name, which no other environment of the machine has.
    let name: String
    private let mounts: CgroupMounts

    /// The group of the environment with these files, whether there is one or not. The same in every process of the node.
    init(of place: Place, _ mounts: CgroupMounts = .current()) {
        // FNV-1a.
        let hash = place.base.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        name = "versionkit-" + String(hash, radix: 16)
        self.mounts = mounts
    }

    /// Why limits cannot be held on this machine, and what to do; `nil`: they can.
    static var obstacle: String? {
        let mounts = CgroupMounts.current()
        let missing = CgroupController.allCases.filter { mounts.hierarchies[$0] == nil }.map(\.rawValue)
        guard missing.isEmpty else { return "there are no control groups for \(missing); mount them" }
        let closed = mounts.trees.map(\.path).filter { access($0, W_OK) != 0 }
        return closed.isEmpty ? nil : "\(closed.joined(separator: " and ")) cannot be written to; run versiond as root"
    }

    /// All trees in which there may be a directory of it.
    private var trees: [CgroupMounts.Hierarchy] {
        mounts.trees + [mounts.unified].compactMap(\.self).filter { !mounts.trees.contains($0) }
    }

    /// Its directory in the tree of version 2, made if it is not there; `nil` without such a tree.
    func makeUnified() throws(IsolationError) -> String? {
        guard let tree = mounts.unified else { return nil }
        try VersionKitIsolation.make(directory(tree))
        return directory(tree)
    }

    /// Makes the group, with its limits. Nothing is made for limits that limit nothing.
    func make(_ limits: ResourceLimits) throws(IsolationError) {
        try makeDirectories(for: limits)
        try hold(limits)
    }

    /// Makes a group that does not limit anything yet, unless these limits never will.
    func makeDirectories(for limits: ResourceLimits) throws(IsolationError) {
        guard !(try mounts.settings(limits)).isEmpty else { return }
        if let obstacle = Self.obstacle {
            throw IsolationError("limits cannot be held: \(obstacle), or leave the limits out")
        }
        for tree in mounts.trees {
            if tree.isUnified { try enableControllers(tree) }
            try VersionKitIsolation.make(directory(tree))
        }
    }

    /// Limits a group that was made.
    func hold(_ limits: ResourceLimits) throws(IsolationError) {
        for setting in try mounts.settings(limits) {
            let file = "\(setting.hierarchy)/\(name)/\(setting.file)"
            if setting.isOptional, access(file, F_OK) != 0 { continue }
            try write(setting.value, to: file)
        }
    }

    /// Puts a process into the group, with all that it starts from now on.
    func add(_ pid: pid_t) throws(IsolationError) {
        for tree in trees where exists(tree) { try write("\(pid)", to: directory(tree) + "/cgroup.procs") }
    }

    /// Ends whatever is in the group, and removes it, whoever made it. If there is none, nothing is done.
    func remove() async throws(IsolationError) {
        let places: [String] = mounts.paths.map { "\($0)/\(name)" }
        let directories = places.filter { access($0, F_OK) == 0 }
        // From here on nobody in it can multiply.
        for directory in directories { try? write("0", to: directory + "/pids.max") }
        let deadline = ContinuousClock.now + Self.endLimit
        for directory in directories {
            while rmdir(directory) != 0, errno != ENOENT {
                guard errno == EBUSY, ContinuousClock.now < deadline else { throw .system("remove \(directory)") }
                for pid in processes(directory) { kill(pid, SIGKILL) }
                try? await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    private func enableControllers(_ tree: CgroupMounts.Hierarchy) throws(IsolationError) {
        let controllers = mounts.hierarchies.filter { $0.value == tree }.keys.map { "+\($0.rawValue)" }
        try write(controllers.sorted().joined(separator: " "), to: tree.path + "/cgroup.subtree_control")
    }

    /// Its processes that can be seen from here.
    private func processes(_ directory: String) -> [pid_t] {
        CgroupMounts.read(directory + "/cgroup.procs").split(separator: "\n").compactMap { pid_t($0) }.filter { $0 > 0 }
    }

    private func directory(_ tree: CgroupMounts.Hierarchy) -> String { "\(tree.path)/\(name)" }

    private func exists(_ tree: CgroupMounts.Hierarchy) -> Bool { access(directory(tree), F_OK) == 0 }

    /// A group's file takes what it is to have by one call, and says by its error why not.
    private func write(_ text: String, to path: String) throws(IsolationError) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open \(path)") }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count else {
            throw .system("write '\(text)' to \(path)")
        }
    }
}

extension CgroupMounts {
    /// This machine's.
    static func current() -> CgroupMounts {
        CgroupMounts(mounts: read("/proc/self/mounts")) { read($0 + "/cgroup.controllers") }
    }

    /// A small file of the kernel's; empty if there is none.
    fileprivate static func read(_ path: String) -> String {
        guard let file = fopen(path, "re") else { return "" }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        return String(decoding: buffer[..<fread(&buffer, 1, buffer.count, file)], as: UTF8.self)
    }
}
