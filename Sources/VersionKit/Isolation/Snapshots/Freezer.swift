import CLinux
import Glibc
import VersionKitProcesses

/// Stops all processes of an environment at one moment, and lets them go on: a cgroup of version 2 without any controller,
/// which every kernel from 5.2 on has, also where version 1 has all the controllers.
///
/// The cgroup, and what is in it, outlives this process; whoever comes next finds it by its name. Processes that are started
/// by one that is in it are in it too.
package struct Freezer: Sendable {
    private let directory: String

    /// The cgroup of this name, made unless it is there.
    ///
    /// - Parameters:
    ///   - name: as a file's, another one for each environment.
    ///   - hierarchy: where cgroups of version 2 are mounted.
    package init(name: String, hierarchy: String) throws(IsolationError) {
        directory = "\(hierarchy)/versionkit-\(name)"
        guard mkdir(directory, 0o755) == 0 || errno == EEXIST else { throw .system("make the cgroup \(directory)") }
    }

    /// Where cgroups of version 2 are mounted that this process may add to. `nil`: nowhere, and an environment has to be
    /// stopped in another way.
    package static func hierarchy(
        among paths: [String] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
    ) -> String? {
        paths.first { path in
            guard let directory = try? OpenDirectory(path) else { return false }
            return vk_file_system_type(directory.descriptor) == vk_cgroup2_magic && access(path, W_OK) == 0
                && access("\(path)/cgroup.procs", W_OK) == 0
        }
    }

    /// Moves a process into the cgroup, with all its threads; the children that it has already stay where they are.
    package func add(processID: Int32) throws(IsolationError) { try write("\(processID)", to: "cgroup.procs") }

    /// Stops everything in it; returns when nothing runs any more. Blocks.
    ///
    /// - Parameter limit: how long that may take; then everything goes on.
    package func freeze(limit: Duration) throws(IsolationError) {
        try write("1", to: "cgroup.freeze")
        let path = "\(directory)/cgroup.events"
        let events = open(path, O_RDONLY | O_CLOEXEC)
        guard events >= 0 else { throw .system("open \(path)") }
        defer { close(events) }
        let deadline = ContinuousClock.now + limit
        while true {
            if Self.saysFrozen(try read(events)) { return }
            let left = (deadline - .now) / .milliseconds(1)
            guard left > 0 else {
                try thaw()
                throw IsolationError(
                    "the processes of \(directory) did not stand still in \(limit): one waits for a disk")
            }
            // Changes are told as urgent ones.
            var entry = pollfd(fd: events, events: Int16(POLLPRI), revents: 0)
            poll(&entry, 1, Int32(min(left.rounded(.up), 1000)))
        }
    }

    /// Lets everything in it go on.
    package func thaw() throws(IsolationError) { try write("0", to: "cgroup.freeze") }

    /// Removes the cgroup, in which nothing may run any more.
    package func remove() throws(IsolationError) {
        guard rmdir(directory) == 0 || errno == ENOENT else { throw .system("remove the cgroup \(directory)") }
    }

    /// Whether the text of a file `cgroup.events` says that everything stands still.
    static func saysFrozen(_ events: String) -> Bool { events.split(separator: "\n").contains("frozen 1") }

    private func write(_ text: String, to name: String) throws(IsolationError) {
        let path = "\(directory)/\(name)"
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw .system("open \(path)") }
        defer { close(file) }
        guard Glibc.write(file, text, text.utf8.count) == text.utf8.count else {
            throw .system("write \(text) to \(path)")
        }
    }

    private func read(_ file: Int32) throws(IsolationError) -> String {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = pread(file, &bytes, bytes.count, 0)
        guard count >= 0 else { throw .system("read \(directory)/cgroup.events") }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
