import ExampleFleet
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitUpgrade

/// Upgrades on real hosts with real processes. Each test has a fleet of its own; one after the other, as they share two
/// processors.
@Suite("Upgrade of a fleet", .serialized)
struct FleetUpgradeTests {
    @Test(
        "a release published on one node reaches the others; no request fails and no update is lost",
        arguments: [Fleet.Addressing.v4, .both, .v6])
    func spreads(addressing: Fleet.Addressing) async throws {
        let fleet = try await TestFleet(hosts: 2, addressing: addressing)
        let loads = [
            try await fleet.load(fleet.nodes[0], protocol: 1), try await fleet.load(fleet.nodes[1], protocol: 2),
        ]
        try await fleet.nodes[0].publish(fleet.releases.version2)
        for node in fleet.nodes {
            let status = try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
            #expect(status.addresses.all.map(\.description) == node.member.addresses)
            #expect(status.applications.first?.peers.keys.allSatisfy { $0 != node.member.address } == true)
            #expect(status.version(1)?.state == .retired)
            #expect(status.version(2)?.stages.map(\.stage) == UpgradeStage.allCases)
            // Its proxies share a directory for what versions miss.
            #expect(access("\(node.directory)/state/missed/irislog/lock", F_OK) == 0)
        }
        for load in loads {
            let numbers = try await load.finish()
            #expect(numbers.failed == 0, "\(numbers.reasons)")
            #expect(numbers.lost == 0)
            #expect(numbers.updates > 0)
        }
    }

    @Test("while both versions run, a rollback takes the new one away and no client notices")
    func rollsBack() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        try await node.publish(fleet.releases.lasting2)
        try await fleet.wait(for: "both versions", on: node) { $0.applications.first?.serving == [1, 2] }
        guard case .done = try await node.ask(.rollback(application: try #require(ApplicationID(rawValue: "irislog"))))
        else {
            Issue.record("the rollback was refused")
            return
        }
        let status = try await fleet.wait(for: "version 1 alone", on: node) {
            $0.version(2)?.state == .failed && $0.version(2)?.addresses == nil && $0.applications.first?.serving == [1]
        }
        #expect(status.version(2)?.reason == "rolled back by the operator")
        let numbers = try await load.finish()
        #expect(numbers.failed == 0, "\(numbers.reasons)")
        #expect(numbers.lost == 0)
    }

    @Test("after the old version retired, a rollback is refused with the reason")
    func refusesLateRollback() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        guard
            case .refused(let reason) = try await node.ask(
                .rollback(application: try #require(ApplicationID(rawValue: "irislog"))))
        else {
            Issue.record("the rollback of the only version was not refused")
            return
        }
        #expect(reason.contains("the only one that runs"))
    }
}
