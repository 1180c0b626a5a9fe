import ExampleFleet
import FoundationEssentials
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed

/// Goal: a version can be kept, and gone back to. Method: real versiond; IrisLog's files stand for its state.
@Suite("Snapshots of versions", .serialized)
struct SnapshotRollbackTests {
    private func versionctl(_ node: FleetNode, _ arguments: String...) async throws -> Command.Result {
        let socket = ["--socket", "\(node.directory)/control.sock"]
        return try await Command.run(try Programs.directory() + "/versionctl", arguments + socket)
    }

    private func list(_ node: FleetNode) async throws -> [SnapshotStatus] {
        let result = try await versionctl(node, "snapshot", "list", "--json")
        #expect(result.exit.isSuccess, "\(result.output)")
        return try JSONDecoder().decode([SnapshotStatus].self, from: Data(result.output.utf8))
    }

    /// What a version has on disk for the test, out of its environment's file system.
    private func mark(_ node: FleetNode, _ version: Version) -> String {
        "\(node.directory)/state/environments/namespaces/irislog-\(version)/upper/mark"
    }

    @Test("an operator keeps a running version, changes its mind, and gets back what was there")
    func byOperator() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        try write("before", to: mark(node, 1))
        let taken = try await versionctl(node, "snapshot", "take", "irislog")
        #expect(taken.exit.isSuccess, "\(taken.output)")
        try write("after", to: mark(node, 1))
        let snapshot = try #require(try await list(node).first)
        #expect(snapshot.version == 1)
        #expect(snapshot.reason == "byOperator")
        let back = try await versionctl(node, "rollback", "irislog", "--snapshot", snapshot.id)
        #expect(back.exit.isSuccess, "\(back.output)")
        #expect(try String(contentsOfFile: mark(node, 1), encoding: .utf8) == "before")
        try await fleet.wait(for: "version 1", on: node) { $0.serves(only: 1) }
        #expect(try await fleet.load(node, protocol: 1).finish().failed == 0)
        let removed = try await versionctl(node, "snapshot", "remove", snapshot.id)
        #expect(removed.exit.isSuccess, "\(removed.output)")
        #expect(try await list(node).isEmpty)
    }

    @Test("a version that begins with clean state has nothing of what it wrote, and serves")
    func clean() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        try write("before", to: mark(node, 1))
        let taken = try await versionctl(node, "snapshot", "take", "irislog")
        #expect(taken.exit.isSuccess, "\(taken.output)")
        let snapshot = try #require(try await list(node).first)
        let back = try await versionctl(node, "rollback", "irislog", "--snapshot", snapshot.id, "--clean")
        #expect(back.exit.isSuccess, "\(back.output)")
        try await fleet.wait(for: "version 1", on: node) { $0.serves(only: 1) && $0.version(1)?.addresses != nil }
        #expect(access(mark(node, 1), F_OK) != 0)
        #expect(try await fleet.load(node, protocol: 1).finish().failed == 0)
        #expect(try await !versionctl(node, "rollback", "irislog", "--clean").exit.isSuccess)
    }

    @Test(
        "a version that cannot be put back does not serve with less than it had, and another snapshot can be asked for")
    func damaged() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        for text in ["first", "second"] {
            try write(text, to: mark(node, 1))
            let taken = try await versionctl(node, "snapshot", "take", "irislog")
            #expect(taken.exit.isSuccess, "\(taken.output)")
        }
        let snapshots = try await list(node).map(\.id)
        try #require(snapshots.count == 2)
        try FileManager.default.removeItem(
            atPath: "\(node.directory)/state/snapshots/snapshots/\(snapshots[1])/environment")
        let back = try await versionctl(node, "rollback", "irislog", "--snapshot", snapshots[1])
        #expect(back.exit == .code(1))
        #expect(back.output.contains("could not be put back, which is tried again"), "\(back.output)")
        let status = try #require(await node.status()?.version(1))
        #expect(status.addresses == nil && status.reason?.hasPrefix("it cannot be put back: ") == true)
        let explained = try await versionctl(node, "explain", "irislog")
        #expect(explained.exit == .code(1) && explained.output.contains("it stands still"), "\(explained.output)")
        let removed = try await versionctl(node, "snapshot", "remove", snapshots[1])
        #expect(removed.exit == .code(1))
        #expect(removed.output.contains("is being put back to it"), "\(removed.output)")
        let other = try await versionctl(node, "rollback", "irislog", "--snapshot", snapshots[0])
        #expect(other.exit.isSuccess, "\(other.output)")
        let later = try await fleet.wait(for: "version 1", on: node) { $0.version(1)?.addresses != nil }
        #expect(later.version(1)?.reason == nil)
        #expect(try String(contentsOfFile: mark(node, 1), encoding: .utf8) == "first")
        #expect(try await fleet.load(node, protocol: 1).finish().lost == 0)
    }

    @Test("a version that retired is kept by policy, and serves again when an operator goes back to it")
    func afterRetirement() async throws {
        let fleet = try await TestFleet(
            hosts: 1, settings: [#""snapshots": { "beforeUpgrade": true, "beforeRetirement": true, "count": 5 }"#])
        let node = fleet.nodes[0]
        try write("kept", to: mark(node, 1))
        try await node.publish(fleet.releases.version2)
        try await fleet.wait(for: "version 2", on: node) { $0.serves(only: 2) }
        let snapshots = try await list(node)
        #expect(snapshots.map(\.reason) == ["beforeUpgrade", "beforeRetirement"])
        #expect(snapshots.allSatisfy { $0.version == 1 && $0.bytes > 0 })
        let last = try #require(snapshots.last)
        let back = try await versionctl(node, "rollback", "irislog", "--snapshot", last.id)
        #expect(back.exit.isSuccess, "\(back.output)")
        let status = try await fleet.wait(for: "version 1", on: node) { $0.serves(only: 1) }
        #expect(status.version(2)?.addresses == nil)
        #expect(try String(contentsOfFile: mark(node, 1), encoding: .utf8) == "kept")
        #expect(try await fleet.load(node, protocol: 1).finish().failed == 0)
        // What an operator took away is gone for good, and a crash does not bring it back.
        node.process.kill()
        _ = try await node.process.wait()
        let again = try node.restarted()
        fleet.nodes[0] = again
        try await fleet.wait(for: "version 1 after a crash", on: again) { $0.serves(only: 1) }
    }

    @Test("what cannot be gone back to is refused with the reason, and nothing changes")
    func refused() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        for (arguments, reason) in [
            (["rollback", "irislog", "--snapshot", "irislog-1-0-0000"], "there is no snapshot"),
            (["snapshot", "remove", "../../etc"], "no snapshot's name"),
            (["snapshot", "take", "irislog", "--version", "9"], "does not run here"),
            (["snapshot", "take", "irislog", "--memory"], "cannot keep memory"),
        ] {
            let result = try await Command.run(
                try Programs.directory() + "/versionctl", arguments + ["--socket", "\(node.directory)/control.sock"])
            #expect(result.exit == .code(1))
            #expect(result.output.contains(reason), "\(result.output)")
        }
        #expect(try await list(node).isEmpty)
        #expect(await node.status()?.serves(only: 1) == true)
    }
}
