import ExampleFleet
import FoundationEssentials
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel

/// Goal: an upgrade is the same whatever environments a node uses. Method: a real one, with clients, in each kind.
@Suite("Upgrades in every kind of environment", .serialized)
struct IsolationKindsTests {
    @Test(
        "IrisLog is upgraded in environments of one kind, and no client notices",
        arguments: [IsolationKind.oci, .uml, .process])
    func upgrade(kind: IsolationKind) async throws {
        let fleet = try await TestFleet(hosts: 1, settings: ["\"isolation\": [\"\(kind)\"]"], version1: \.anywhere1)
        let node = fleet.nodes[0]
        let environment = "\(node.directory)/state/environments/\(kind)/irislog-"
        #expect(access(environment + "1", F_OK) == 0)
        let load = try await fleet.load(node, protocol: 1)
        try await node.publish(fleet.releases.anywhere2)
        let status = try await fleet.wait(for: "version 2", on: node) { $0.serves(only: 2) }
        #expect(status.version(1)?.state == .retired)
        #expect(access(environment + "2", F_OK) == 0)
        let numbers = try await load.finish()
        #expect(numbers.failed == 0, "\(numbers.reasons)")
        #expect(numbers.lost == 0)
        #expect(numbers.updates > 0)
    }

    @Test(
        "a release's limit that a kind of environment cannot hold it to is not ignored: the upgrade is undone, and says why"
    )
    func limit() async throws {
        let fleet = try await TestFleet(hosts: 1, settings: ["\"isolation\": [\"process\"]"], version1: \.anywhere1)
        let node = fleet.nodes[0]
        try await node.publish(fleet.releases.limited2)
        let status = try await fleet.wait(for: "an end", on: node) { $0.version(2)?.state == .failed }
        #expect(status.version(2)?.reason?.contains("limit disk space") == true, "\(status.version(2)?.reason ?? "")")
        #expect(status.serves(only: 1))
    }
}
