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
    /// Of a container: see ``Container``.
    var container = ContainerLayout()

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
            default: try container.take(parts[0], parts[1])
            }
        }
        guard !lower.isEmpty, !upper.isEmpty, !work.isEmpty, !root.isEmpty, !run.isEmpty else {
            throw Failure("lower, upper, work, root and run are all needed")
        }
    }
}
