internal import Glibc
internal import VersionKitProcesses

/// How a process is to be started.
struct Launch {
    var executable: String
    var arguments: [String]
    /// Nil: that of this process.
    var environment: [String: String]?
    var directory: String?
    var networkNamespace: Int32 = -1
    /// What the child's descriptors are made from. 0, 1 and 2 are this process's if not mentioned.
    var descriptors: [(source: Int32, target: Int32)] = []

    /// Starts it, in a session of its own, as what hosts run is. By sessions the kernel shares processors out, where
    /// `kernel.sched_autogroup_enabled` is on: what one host runs is not to share with this process and all other hosts.
    func start() throws(TestbedError) -> (pid: Int32, handle: Descriptor) {
        let path = try findExecutable()
        var spawn = RawSpawn()
        if let environment { spawn.environment = environment.map { "\($0.key)=\($0.value)" } }
        spawn.directory = directory
        if networkNamespace >= 0 { spawn.networkNamespace = networkNamespace }
        spawn.descriptors = Dictionary(descriptors.map { ($0.target, $0.source) }) { _, last in last }
        spawn.newSession = true
        do throws(SystemError) {
            let (pid, pidfd) = try spawn.spawn(path, arguments)
            return (pid, Descriptor(pidfd))
        } catch {
            throw TestbedError(.system, "cannot \(error)")
        }
    }

    // An ordinary user's PATH often lacks the folders where ip and its like are.
    private func findExecutable() throws(TestbedError) -> String {
        if executable.contains("/") { return executable }
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        for folder in (path + ":/usr/sbin:/sbin").split(separator: ":") {
            let candidate = "\(folder)/\(executable)"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        throw TestbedError(.command, "there is no program \(executable) in \(path)")
    }
}
