import ExampleFleet
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed

/// Goal: versions do not notice that versiond crashes. Method: real versiond, killed, while clients ask.
@Suite("Crashes of versiond", .serialized)
struct CrashTests {
    private func crash(_ node: FleetNode) async throws {
        node.process.kill()
        _ = try await node.process.wait()
    }

    @Test("versions go on while versiond is killed and started again, and everything acknowledged is there")
    func versionsGoOn() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = RestartedNode(node: fleet.nodes[0])
        let load = try await fleet.load(node.node, protocol: 1)
        let versions = node.versions
        #expect(versions.count == 1)
        try await crash(node.node)
        #expect(node.versions == versions)
        let again = try node.node.restarted()
        fleet.nodes[0] = again
        try await fleet.wait(for: "version 1", on: again) { $0.serves(only: 1) && $0.applications.first?.proxy != nil }
        #expect(RestartedNode(node: again).versions == versions)
        let numbers = try await load.finish()
        #expect(numbers.lost == 0)
        #expect(numbers.updates > 0)
    }

    @Test("a version that ends while there is no versiond is started again by the next one")
    func versionEnds() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = RestartedNode(node: fleet.nodes[0])
        let version = try #require(node.versions.first)
        try await crash(node.node)
        kill(version, SIGKILL)
        let again = try node.node.restarted()
        fleet.nodes[0] = again
        try await fleet.wait(for: "version 1", on: again) {
            $0.serves(only: 1) && $0.applications.first?.proxy != nil && RestartedNode(node: again).versions.count == 1
        }
        #expect(!RestartedNode(node: again).versions.contains(version))
        #expect(try await fleet.load(again, protocol: 1).finish().lost == 0)
    }

    @Test("ports that a version registered by itself are still registered, with what is left of their leases")
    func registrations() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        let registrar = ControlClient(path: "\(node.directory)/state/run/irislog-1/registrar.sock")
        guard case .done = try registrar.ask(.register(ports: [7100], leaseSeconds: 600)) else {
            Issue.record("the port was refused")
            return
        }
        let before = try #require(await node.status()?.applications.first?.ports)
        try await crash(node)
        let again = try node.restarted()
        fleet.nodes[0] = again
        let status = try await fleet.wait(for: "version 1", on: again) { $0.serves(only: 1) }
        let after = try #require(status.applications.first?.ports)
        #expect(after.map(\.port) == before.map(\.port))
        let ends = (before + after).compactMap(\.endsAt)
        #expect(ends.count == 2)
        // Leases are given in seconds.
        #expect(abs(ends[0] - ends[1]) < 3000)
    }

    @Test("an environment that belongs to nothing any more is removed by the next versiond")
    func orphans() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        let running = RestartedNode(node: node).versions
        try await crash(node)
        // An operator gives it another state: what ran belongs to nobody.
        #expect(unlink("\(node.directory)/state/journal.sqlite") == 0)
        for suffix in ["-wal", "-shm"] { unlink("\(node.directory)/state/journal.sqlite\(suffix)") }
        let again = try node.restarted()
        fleet.nodes[0] = again
        try await fleet.wait(for: "no environment", on: again) { _ in
            access("\(node.directory)/state/environments/namespaces/irislog-1", F_OK) != 0
        }
        #expect(running.allSatisfy { kill($0, 0) != 0 })
    }
}
