import CLinux
import Glibc
import VersionKitProcesses

/// The namespaces of an environment: user, mount, network, process, host name, IPC.
enum Namespaces {
    /// Makes them, runs the init in them, and returns its exit code.
    static func enterAndRunInit(_ arguments: [String]) throws(Failure) -> Int32 {
        let kinds = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC
        let user = geteuid()
        let group = getegid()
        guard vk_unshare(Int32(kinds)) == 0 else { throw Failure(call: "make namespaces") }
        // One user, who is root inside and may do outside what whoever started us may, less every privilege.
        try write("0 \(user) 1", to: "/proc/self/uid_map")
        try write("deny", to: "/proc/self/setgroups")
        try write("0 \(group) 1", to: "/proc/self/gid_map")
        return try runInit(arguments)
    }

    private static func runInit(_ arguments: [String]) throws(Failure) -> Int32 {
        let pidfd: Int32
        do throws(SystemError) {
            pidfd = try RawSpawn().spawn("/proc/self/exe", ["--init"] + arguments).pidfd
        } catch {
            throw Failure("\(error)")
        }
        // The control pipe is the init's alone: its end has to be seen when the init ends.
        close(STDIN_FILENO)
        close(STDOUT_FILENO)
        var code: Int32 = 0
        var number: Int32 = 0
        guard vk_wait(pidfd, false, &code, &number) == 1 else { throw Failure(call: "wait for the init") }
        return number == 0 ? code : 128 + number
    }

    private static func write(_ text: String, to path: String) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(call: "open \(path)") }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw Failure(call: "write \(path)") }
    }
}
