import ExampleFleet
import FoundationEssentials
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed

/// Goal: what clients write after a version retired is there when it is gone back to (R19). Method: real versiond; the
/// clients of the load read back what was acknowledged to them.
@Suite("Going back with what was written since", .serialized)
struct ReplayRollbackTests {
    private func versionctl(_ node: FleetNode, _ arguments: String...) async throws -> Command.Result {
        let socket = ["--socket", "\(node.directory)/control.sock"]
        return try await Command.run(try Programs.directory() + "/versionctl", arguments + socket)
    }

    /// A node on which version 2 serves and version 1 has retired, as the release wants it kept.
    private func retire(_ fleet: TestFleet) async throws -> String {
        let node = fleet.nodes[0]
        try await node.publish(fleet.releases.replaying2)
        let status = try await fleet.wait(for: "version 2 alone", on: node) {
            $0.serves(only: 2) && $0.version(1)?.state == .retired
        }
        return try #require(status.version(1)?.replay?.snapshot)
    }

    /// What the metrics say of version 1's log.
    private func metrics(_ node: FleetNode) async throws -> (possible: UInt64?, writes: UInt64?, bytes: UInt64?) {
        guard case .metrics(let text) = try await node.ask(.metrics) else { throw FleetError("no metrics") }
        func number(_ name: String) -> UInt64? {
            let name = "versionkit_replay_\(name){application=\"irislog\",version=\"1\"} "
            return text.split(separator: "\n").first { $0.hasPrefix(name) }.flatMap { UInt64($0.dropFirst(name.count)) }
        }
        return (number("possible"), number("logged_writes"), number("logged_bytes"))
    }

    private func logs(_ node: FleetNode) -> [String] {
        ProcessFiles.names("\(node.directory)/state/missed/irislog").filter { $0.hasSuffix(".logged") }
    }

    @Test("clients of both protocols find everything, and none of them notices")
    func everything() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        let old = try await fleet.load(node, protocol: 1)
        let snapshot = try await retire(fleet)
        let new = try await fleet.load(node, protocol: 2)
        let count = old.numbers.updates
        let status = try await fleet.wait(for: "writes", on: node) {
            old.numbers.updates > count + 200 && $0.version(1)?.replay?.writes ?? 0 > 200
        }
        #expect(status.version(1)?.replay?.bytes ?? 0 > 0)
        #expect(status.version(1)?.replay?.failure == nil)
        // The log grows meanwhile.
        let metrics = try await metrics(node)
        let after = try #require(await node.status()?.version(1)?.replay)
        let before = try #require(status.version(1)?.replay)
        #expect(metrics.possible == 1)
        #expect((before.writes...after.writes).contains(try #require(metrics.writes)))
        #expect((before.bytes...after.bytes).contains(try #require(metrics.bytes)))
        let back = try await versionctl(node, "rollback", "irislog", "--snapshot", snapshot)
        #expect(back.exit.isSuccess, "\(back.output)")
        #expect(back.output.contains("all that was written since"), "\(back.output)")
        let later = try await fleet.wait(for: "version 1 alone", on: node) {
            $0.serves(only: 1) && $0.version(2)?.state == .failed
        }
        #expect(later.version(1)?.replay == nil)
        #expect(try await self.metrics(node).possible == nil)
        #expect(logs(node).isEmpty)
        let updates = (old.numbers.updates, new.numbers.updates)
        try await fleet.wait(for: "further updates", on: node) { _ in
            old.numbers.updates > updates.0 && new.numbers.updates > updates.1
        }
        for load in [old, new] {
            let numbers = try await load.finish()
            #expect(numbers.lost == 0, "\(numbers.reasons)")
            #expect(numbers.failed == 0, "\(numbers.reasons)")
        }
    }

    @Test("neither a proxy nor a versiond that is killed meanwhile loses anything of it")
    func killed() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let load = try await fleet.load(fleet.nodes[0], protocol: 1)
        let snapshot = try await retire(fleet)
        var node = fleet.nodes[0]
        var updates = load.numbers.updates
        try await fleet.wait(for: "writes", on: node) { _ in load.numbers.updates > updates + 100 }
        for process in RestartedNode(node: node).proxies { kill(process, SIGKILL) }
        updates = load.numbers.updates
        try await fleet.wait(for: "writes after the proxy's end", on: node) { _ in
            load.numbers.updates > updates + 100
        }
        node.process.kill()
        _ = try await node.process.wait()
        node = try node.restarted()
        fleet.nodes[0] = node
        updates = load.numbers.updates
        let status = try await fleet.wait(for: "writes after versiond's end", on: node) {
            load.numbers.updates > updates + 100 && $0.version(1)?.replay?.writes ?? 0 > 300
        }
        #expect(status.version(1)?.replay?.failure == nil)
        let back = try await versionctl(node, "rollback", "irislog", "--snapshot", snapshot)
        #expect(back.exit.isSuccess, "\(back.output)")
        try await fleet.wait(for: "version 1 alone", on: node) { $0.serves(only: 1) }
        updates = load.numbers.updates
        try await fleet.wait(for: "another update", on: node) { _ in load.numbers.updates > updates }
        let numbers = try await load.finish()
        #expect(numbers.lost == 0, "\(numbers.reasons)")
    }

    @Test(
        "neither a proxy nor the version itself loses anything if it is killed while it is put back",
        arguments: [false, true])
    func killedMeanwhile(_ isVersion: Bool) async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        let snapshot = try await retire(fleet)
        try await fleet.wait(for: "writes", on: node) { $0.version(1)?.replay?.writes ?? 0 > 100 }
        async let answer = versionctl(node, "rollback", "irislog", "--snapshot", snapshot)
        var victims: Set<Int32> = []
        // It has addresses before it has processes.
        try await fleet.wait(for: "version 1", on: node) { status in
            guard status.version(1)?.addresses != nil else { return false }
            victims = isVersion ? ProcessFiles.version(1, on: node) : RestartedNode(node: node).proxies
            return !victims.isEmpty
        }
        for process in victims { kill(process, SIGKILL) }
        let back = try await answer
        #expect(back.exit.isSuccess, "\(back.output)")
        try await fleet.wait(for: "version 1 alone", on: node) { $0.serves(only: 1) }
        let updates = load.numbers.updates
        try await fleet.wait(for: "another update", on: node) { _ in load.numbers.updates > updates }
        let numbers = try await load.finish()
        #expect(numbers.lost == 0, "\(numbers.reasons)")
    }

    @Test("what cannot be replayed is refused with the reason, and lost only if the operator says so")
    func refused() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        let taken = try await versionctl(node, "snapshot", "take", "irislog")
        #expect(taken.exit.isSuccess, "\(taken.output)")
        let before = try #require(taken.output.split(separator: " ").dropFirst().first).prefix { $0 != ":" }
        let snapshot = try await retire(fleet)
        let other = try await versionctl(node, "rollback", "irislog", "--snapshot", String(before))
        #expect(other.exit == .code(1))
        #expect(other.output.contains("what was logged goes on from \(snapshot)"), "\(other.output)")
        #expect(!logs(node).isEmpty)
        let removed = try await versionctl(node, "snapshot", "remove", snapshot)
        #expect(removed.exit.isSuccess, "\(removed.output)")
        #expect(logs(node).isEmpty)
        let status = try #require(await node.status())
        #expect(status.version(1)?.replay?.failure?.contains("is gone") == true)
        #expect(try await metrics(node).possible == 0)
        let late = try await versionctl(node, "rollback", "irislog", "--snapshot", String(before))
        #expect(late.output.contains("--no-replay"), "\(late.output)")
        #expect(await node.status()?.serves(only: 2) == true)
        let back = try await versionctl(node, "rollback", "irislog", "--snapshot", String(before), "--no-replay")
        #expect(back.exit.isSuccess, "\(back.output)")
        try await fleet.wait(for: "version 1 alone", on: node) { $0.serves(only: 1) }
        #expect(try await fleet.load(node, protocol: 1).finish().failed == 0)
    }
}
