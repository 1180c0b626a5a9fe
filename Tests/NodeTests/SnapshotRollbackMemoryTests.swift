import ExampleFleet
import Foundation
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed

/// Goal: a version that was kept with its memory goes on where it was. Method: real versiond with containers; a program
/// beside the version counts in memory, which nothing of it survives but by a snapshot.
@Suite("Snapshots of versions with their memory", .serialized)
struct SnapshotRollbackMemoryTests {
    /// Counts into a file that is in memory, too.
    private static let counter =
        "n=0; while :; do n=$((n+1)); echo $n >/tmp/next; mv /tmp/next /tmp/count; sleep 0.05; done"

    private let versionctl: String

    init() throws { versionctl = try Programs.directory() + "/versionctl" }

    private func fleet() async throws -> TestFleet {
        let criu = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../.build/criu/criu")
        return try await TestFleet(
            hosts: 1, settings: ["\"isolation\": [\"oci\"]", "\"criu\": \"\(criu.standardized.path)\""])
    }

    private func run(_ node: FleetNode, _ arguments: String...) async throws -> String {
        let separator = arguments.firstIndex(of: "--") ?? arguments.endIndex
        let socket = ["--socket", "\(node.directory)/control.sock"]
        let result = try await Command.run(versionctl, arguments[..<separator] + socket + arguments[separator...])
        #expect(result.exit.isSuccess, "\(arguments): \(result.output)")
        return result.output
    }

    private func startCounter(_ node: FleetNode) async throws {
        _ = try await run(
            node, "exec", "irislog", "--", "sh", "-c",
            "setsid sh -c '\(Self.counter)' </dev/null >/dev/null 2>&1 &")
        try await wait(for: 1, node)
    }

    private func count(_ node: FleetNode) async throws -> Int {
        let text = try await run(node, "exec", "irislog", "--", "sh", "-c", "cat /tmp/count || echo 0")
        return Int(text.split(separator: "\n").last ?? "") ?? 0
    }

    /// Waits until the counter has come so far.
    private func wait(for wanted: Int, _ node: FleetNode) async throws {
        let deadline = ContinuousClock.now + TestFleet.patience
        while try await count(node) < wanted {
            try #require(ContinuousClock.now < deadline, "the counter does not go on")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func keep(_ node: FleetNode) async throws -> SnapshotStatus {
        _ = try await run(node, "snapshot", "take", "irislog", "--memory")
        let list = try await run(node, "snapshot", "list", "--json")
        let snapshot = try #require(try JSONDecoder().decode([SnapshotStatus].self, from: Data(list.utf8)).last)
        #expect(snapshot.level == .memory)
        return snapshot
    }

    @Test("an operator keeps a version with its memory, and it goes on there after the rollback, and after a crash")
    func again() async throws {
        let fleet = try await fleet()
        let node = fleet.nodes[0]
        try await startCounter(node)
        try await wait(for: 5, node)
        let snapshot = try await keep(node)
        // It went on, and what it does now is to be forgotten.
        let kept = try await count(node)
        _ = try await run(node, "exec", "irislog", "--", "sh", "-c", "echo forgotten >/tmp/mark")
        #expect(try await failures(fleet, node) == 0)
        _ = try await run(node, "rollback", "irislog", "--snapshot", snapshot.id)
        try await fleet.wait(for: "version 1", on: node) { $0.serves(only: 1) }
        try await wait(for: kept + 5, node)
        let mark = try await run(node, "exec", "irislog", "--", "sh", "-c", "cat /tmp/mark || echo none")
        #expect(mark.contains("none"))
        #expect(try await failures(fleet, node) == 0)
        // A versiond that did not make it goes on with it.
        let before = try await count(node)
        node.process.kill()
        _ = try await node.process.wait()
        let next = try node.restarted()
        fleet.nodes[0] = next
        try await fleet.wait(for: "version 1 after a crash", on: next) { $0.serves(only: 1) }
        try await wait(for: before + 5, next)
    }

    @Test("a version that was taken away goes on where it was kept, beside the one that serves")
    func beside() async throws {
        let fleet = try await fleet()
        let node = fleet.nodes[0]
        try await startCounter(node)
        try await wait(for: 5, node)
        let snapshot = try await keep(node)
        try await node.publish(fleet.releases.version2)
        try await fleet.wait(for: "version 2", on: node) { $0.serves(only: 2) }
        #expect(try await count(node) == 0)
        _ = try await run(node, "rollback", "irislog", "--snapshot", snapshot.id)
        try await fleet.wait(for: "version 1", on: node) { $0.serves(only: 1) }
        try await wait(for: 6, node)
        #expect(try await failures(fleet, node) == 0)
    }

    /// Has clients work for a moment; how much of that failed.
    private func failures(_ fleet: TestFleet, _ node: FleetNode) async throws -> Int {
        try await fleet.load(node, protocol: 1).finish().failed
    }

    @Test("doctor says whether memory can be kept, and what to do if not")
    func doctor() async throws {
        let fleet = try await TestFleet(
            hosts: 1, settings: [#""isolation": ["oci"]"#, #""criu": "/no/such/criu""#])
        let result = try await Command.run(
            versionctl, ["doctor", "--socket", "\(fleet.nodes[0].directory)/control.sock"])
        #expect(result.output.contains("snapshots with memory: memory is kept by CRIU 4.2 or newer"))
    }
}
