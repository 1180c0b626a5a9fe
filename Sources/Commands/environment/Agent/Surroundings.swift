import Glibc
import VersionKitProcesses

/// What programs in an environment find there.
///
/// One that has the node's own file system, with a directory for its files, is told where that is: in
/// `VERSIONKIT_ROOT`, where it starts, and what is called by an absolute path is looked for there first.
struct Surroundings {
    /// The directory with the environment's files; empty: its root is its own.
    private(set) var root = ""
    /// The directory of the Swift runtime that the node's own programs need.
    private(set) var runtime = RootFileSystem.runtime
    /// What these are made from.
    let arguments: [String]
    private var directories = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
    private var variables = ["LANG=C.UTF-8"]

    /// - Parameter arguments: `NAME=value`: `root`, `runtime`, and variables for all programs, in capitals.
    init(arguments: [String] = []) throws(Failure) {
        self.arguments = arguments
        for argument in arguments {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw Failure("'\(argument)' is not NAME=value") }
            switch parts[0] {
            case "root": root = parts[1]
            case "runtime": runtime = parts[1]
            case let name where name.allSatisfy({ $0.isUppercase || $0 == "_" }): variables.append(argument)
            default: throw Failure("there is no argument '\(parts[0])'")
            }
        }
        if root.isEmpty {
            directories.append("/run/versionkit")
            variables.append("HOME=/")
        } else {
            directories = directories.map { root + $0 } + directories
            variables += ["HOME=\(root)", "VERSIONKIT_ROOT=\(root)"]
        }
        variables.append("PATH=" + directories.joined(separator: ":"))
    }

    /// Where the environment has what is called this inside.
    func path(_ path: String) -> String { path.hasPrefix("/") ? root + path : path }

    /// A program's path: the node's own if the environment has none of this name; a bare name is searched for.
    func program(_ name: String) -> String {
        let candidates = name.contains("/") ? [path(name)] : directories.map { "\($0)/\(name)" }
        return candidates.first { access($0, X_OK) == 0 } ?? name
    }

    /// What every program is started with: no privilege, and a session of its own.
    var spawn: RawSpawn {
        var raw = RawSpawn()
        raw.environment = variables
        raw.directory = root.isEmpty ? nil : root
        raw.newSession = true
        raw.dropsCapabilities = true
        return raw
    }
}

extension RawSpawn {
    /// Starts a command in these surroundings.
    func spawn(
        _ surroundings: Surroundings, _ command: [String]
    ) throws(SystemError) -> (pid: Int32, pidfd: Int32) {
        guard let program = command.first else { throw SystemError("start nothing", code: EINVAL) }
        return try spawn(surroundings.program(program), Array(command.dropFirst()))
    }
}
