import ExampleFleet
import FoundationEssentials
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitTestbed

/// Goal: what a release says that its version may use at most is what the kernel holds it to. Method: real versiond; the
/// limits are read from the control groups of the version's own process.
@Suite("Limits that a release asks for", .serialized)
struct ReleaseLimitsTests {
    private static let memoryBytes = 512 << 20
    private static let tasks = 300

    /// Whether anybody may make control groups on this machine.
    private static let hasControlGroups = ["/sys/fs/cgroup/memory", "/sys/fs/cgroup"].contains {
        access($0 + "/cgroup.procs", W_OK) == 0
    }

    /// What stands in the file of a process's group, by either version of control groups; `nil`: it is in no group with one.
    private func limit(_ controller: String, of process: Int32, _ files: [String]) -> String? {
        for line in text("/proc/\(process)/cgroup").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let isUnified = parts[1].isEmpty
            guard isUnified || parts[1].split(separator: ",").contains(Substring(controller)) else { continue }
            let trees = isUnified ? ["", "/unified"] : ["/\(controller)", "/\(parts[1])"]
            for path in trees.flatMap({ tree in files.map { "/sys/fs/cgroup\(tree)\(parts[2])/\($0)" } }) {
                let found = text(path)
                if !found.isEmpty { return String(found.dropLast()) }
            }
        }
        return nil
    }

    private func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

    @Test("are the limits of its version's process, and no other version's; where they cannot be held it is refused")
    func arrive() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        let release = try await fleet.releases.staging.makeRelease(
            2, retirementPeriod: 600_000, name: "bounded",
            settings: [
                """
                "limits": { "memoryBytes": \(Self.memoryBytes), "processors": 1.5, "tasks": \(Self.tasks) }
                """
            ])
        try await node.publish(release)
        guard Self.hasControlGroups else {
            let status = try await fleet.wait(for: "refusal", on: node) { $0.version(2)?.state == .failed }
            #expect(status.version(2)?.reason?.contains("limits") == true)
            return
        }
        try await fleet.wait(for: "both versions", on: node) { $0.applications.first?.serving == [1, 2] }
        let bounded = try #require(ProcessFiles.version(2, on: node).first)
        #expect(
            limit("memory", of: bounded, ["memory.limit_in_bytes", "memory.max"]) == "\(Self.memoryBytes)")
        #expect(limit("pids", of: bounded, ["pids.max"]) == "\(Self.tasks)")
        #expect(["150000", "150000 100000"].contains(limit("cpu", of: bounded, ["cpu.cfs_quota_us", "cpu.max"])))
        let other = try #require(ProcessFiles.version(1, on: node).first)
        #expect(limit("memory", of: other, ["memory.limit_in_bytes", "memory.max"]) != "\(Self.memoryBytes)")
        #expect(limit("pids", of: other, ["pids.max"]) != "\(Self.tasks)")
    }
}
