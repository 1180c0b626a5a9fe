import VersionKitProcesses

/// A program that makes containers, and what it can here.
public struct OCIRuntime: Sendable, Hashable {
    /// Quicker, and works without control groups.
    public static let crun = OCIRuntime(name: "crun")
    /// The reference.
    public static let runc = OCIRuntime(name: "runc")
    /// In the order in which they are taken.
    public static let all = [crun, runc]

    /// The program.
    public let name: String

    /// What has to be shown to it of the node's control groups: a word of `versionkit-environment container`.
    ///
    /// - Returns: `nil` if it works with none that there are.
    func view(of groups: ControlGroups) -> String? {
        switch groups.version {
        case nil: self == .crun ? "none" : nil
        // crun refuses to work with both.
        case .hybrid: self == .crun ? "v1" : "all"
        case .v1, .v2: "all"
        }
    }

    /// Whether it can keep the memory of containers.
    var keepsMemory: Bool { self == .runc }

    /// The command line for a container that goes on when the program has ended. Three descriptors are passed on: the
    /// agent's socket, or nothing, the lock, and the root directory as only the agent may write to it.
    func arguments(place: Place, stage: String, hasGroups: Bool) -> [String] {
        var arguments = ["--root", place.runtimeState, "--log", place.runtimeLog]
        if self == .crun { arguments.append("--cgroup-manager=\(hasGroups ? "cgroupfs" : "disabled")") }
        return arguments + [
            "run", "--detach", "--bundle", stage, "--pid-file", place.runtimeProcess, "--preserve-fds", "3",
            OCIContainer.name,
        ]
    }

    /// Where the program is, or `nil`.
    var path: String? { Command.find(name) }
}
