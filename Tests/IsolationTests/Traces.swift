import Glibc
import VersionKitProcesses

/// What environments could leave behind on a node.
struct Traces: Equatable, CustomStringConvertible {
    var mounts: [String]
    var interfaces: [String]
    var rules: String
    var cgroups: [String]
    var loopDevices: String
    var processes: [String]

    /// What is there once earlier tests' environments are gone, with which the kernel takes its time.
    static func before() async throws -> Traces {
        let deadline = ContinuousClock.now + Workplace.patience
        while true {
            let traces = try await now()
            let isQuiet = traces.processes.isEmpty && !traces.interfaces.contains { $0.hasPrefix("vk") }
            if isQuiet || ContinuousClock.now > deadline { return traces }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    static func now() async throws -> Traces {
        func lines(_ program: String, _ arguments: [String]) async throws -> [String] {
            try await Command.run(program, arguments).output.split(separator: "\n").map(String.init)
        }
        return Traces(
            mounts: try await lines("findmnt", ["--noheadings", "--raw", "--output", "TARGET,FSTYPE"]).sorted(),
            interfaces: try await lines("ip", ["-brief", "link"]).compactMap {
                $0.split(separator: " ").first.map(String.init)
            },
            rules: try await Command.run("nft", ["list", "ruleset"]).output,
            cgroups: try await lines("find", ["/sys/fs/cgroup", "-type", "d", "-name", "*versionkit*"]).sorted(),
            loopDevices: try await Command.run("losetup", ["--noheadings", "--output", "NAME,BACK-FILE"]).output,
            processes: try await lines("ps", ["-e", "-o", "args="]).filter {
                // The agent starts itself again under that path.
                [
                    "versionkit-environment", "/proc/self/exe", "isolation-app", "/opt/app", "/environments/",
                    "runc init", "linux.uml",
                ].contains(where: $0.contains)
            })
    }

    /// Whether there is anything that was not there before. What environments alone have never belongs there: what one of
    /// another test has may just be about to vanish.
    func hasMore(than before: Traces) -> Bool {
        !Set(mounts).isSubset(of: before.mounts) || !Set(interfaces).isSubset(of: before.interfaces)
            || !Set(cgroups).isSubset(of: before.cgroups) || rules != before.rules || loopDevices != before.loopDevices
            || !processes.isEmpty
            || interfaces.contains { $0.hasPrefix("vk") }
    }

    var description: String {
        "\(mounts.count) mounts, \(interfaces), \(cgroups), \(processes), loop: \(loopDevices), rules: \(rules)"
    }
}
