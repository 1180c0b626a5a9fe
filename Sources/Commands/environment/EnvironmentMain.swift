import Glibc

/// The first processes of an isolation environment (DESIGN 9, R1).
///
/// `versiond` starts it with a control pipe as standard input and output. The first one makes the namespaces; as only
/// the children of a process are in its new process namespace, it starts itself once more as that namespace's init,
/// which lays out the file system and then runs what `versiond` says. When `versiond` dies, the pipe ends, the init
/// ends, and the kernel ends everything else in the environment.
@main
enum EnvironmentMain {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do throws(Failure) {
            let layout = try Layout(arguments: arguments.filter { $0 != "--init" })
            if arguments.contains("--init") {
                try RootFileSystem(layout).enter()
                Control.say("created")
                Init().run()
            } else {
                exit(try Namespaces.enterAndRunInit(arguments))
            }
        } catch {
            Control.say("failed \(error.description)")
            exit(1)
        }
    }
}

/// Why an environment could not be made.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// The system call that just failed.
    init(call: String) { description = "\(call): \(String(cString: strerror(errno)))" }
}

/// What an environment is made of: the command line's `NAME=value` arguments.
struct Layout {
    /// Directories that are stacked read-only, the topmost first.
    var lower: [String] = []
    /// Where what the version writes goes, and the directory that overlayfs works in.
    var upper = ""
    var work = ""
    /// Where the stack is mounted.
    var root = ""
    /// The node's directory that appears as `/run/versionkit`.
    var run = ""
    /// The node's `versionctl`, and the directory of the Swift runtime that it needs, if any.
    var versionctl = ""
    var runtime = ""
    /// The environment's host name.
    var hostname = "version"

    init(arguments: [String]) throws(Failure) {
        for argument in arguments {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw Failure("'\(argument)' is not NAME=value") }
            switch parts[0] {
            case "lower": lower = parts[1].split(separator: ":").map(String.init)
            case "upper": upper = parts[1]
            case "work": work = parts[1]
            case "root": root = parts[1]
            case "run": run = parts[1]
            case "versionctl": versionctl = parts[1]
            case "runtime": runtime = parts[1]
            case "hostname": hostname = parts[1]
            default: throw Failure("there is no argument '\(parts[0])'")
            }
        }
        guard !lower.isEmpty, !upper.isEmpty, !work.isEmpty, !root.isEmpty, !run.isEmpty else {
            throw Failure("lower, upper, work, root and run are all needed")
        }
    }
}

/// The lines that go to `versiond`.
enum Control {
    static func say(_ line: String) {
        let bytes = Array((line.replacing("\n", with: " ") + "\n").utf8)
        // If nobody reads, versiond is gone, and the end of standard input says so too.
        _ = write(STDOUT_FILENO, bytes, bytes.count)
    }
}
