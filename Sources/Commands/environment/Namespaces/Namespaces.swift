import CLinux
import Glibc
import VersionKitProcesses

/// The namespaces of an environment: user, mount, network, process, host name, IPC.
enum Namespaces {
    /// The command of the first process inside.
    static let inside = "inside"

    /// Makes them, and starts the first process inside. Only the children of a process are in its new process namespace.
    static func enterAndStart(_ arguments: [String], listener: Int32) throws(Failure) {
        let kinds = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC
        let user = geteuid()
        let group = getegid()
        guard vk_unshare(Int32(kinds)) == 0 else { throw Failure(call: "make namespaces") }
        // One user, who is root inside and may do outside what whoever started us may, less every privilege.
        try write("0 \(user) 1", to: "/proc/self/uid_map")
        try write("deny", to: "/proc/self/setgroups")
        try write("0 \(group) 1", to: "/proc/self/gid_map")
        var spawn = RawSpawn()
        spawn.descriptors = [listener: listener]
        print("pid \(try EnvironmentMain.start(inside, arguments, spawn))")
    }

    /// Tells whoever waits for it that the environment is there. From here on all is said to its agent.
    static func created() {
        print("created")
        fflush(nil)
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        dup2(nothing, STDIN_FILENO)
        dup2(nothing, STDOUT_FILENO)
        close(nothing)
    }

    private static func write(_ text: String, to path: String) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(call: "open \(path)") }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw Failure(call: "write \(path)") }
    }
}
