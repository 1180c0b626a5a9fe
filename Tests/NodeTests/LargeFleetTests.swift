import ExampleFleet
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitTestbed
import VersionKitUpgrade

/// Goal: a withdrawal reaches each node of a fleet whose nodes do not all talk to each other at once, wherever each of them is with
/// its upgrade. Method: nine whole nodes, clients at three of them.
@Suite("Withdrawals in a fleet of nine", .serialized)
struct LargeFleetTests {
    private static let hosts = 9

    private func fleetUnderLoad() async throws -> (fleet: TestFleet, loads: [LoadProcess]) {
        let fleet = try await TestFleet(hosts: Self.hosts, hasKey: true)
        var loads: [LoadProcess] = []
        for index in stride(from: 0, to: Self.hosts, by: 4) {
            loads.append(try await fleet.load(fleet.nodes[index], protocol: 1))
        }
        for node in fleet.nodes {
            try await fleet.wait(for: "a peer", on: node) { $0.applications.first?.peers.isEmpty == false }
        }
        return (fleet, loads)
    }

    @Test("one that fails where it is tried out begins on none of the eight others")
    func canary() async throws {
        let (fleet, loads) = try await fleetUnderLoad()
        try await fleet.nodes[0].publish(fleet.releases.tiring2)
        for node in fleet.nodes {
            let status = try await fleet.wait(for: "no version 2", on: node) {
                $0.version(2)?.state == .failed && $0.serves(only: 1)
            }
            #expect(status.version(2)?.spread?.role == .withdrawn)
            let began = status.version(2)?.stages.contains { $0.stage == .createEnvironment } == true
            #expect(began == (node.member.name == fleet.nodes[0].member.name), "\(node.member.name)")
        }
        for load in loads {
            let numbers = try await load.finish()
            #expect(numbers.lost == 0)
            #expect(numbers.updates > 0)
        }
    }

    @Test(
        "one that is withdrawn when it was promoted and half of the nodes serve it goes everywhere, and loses nothing")
    func half() async throws {
        let (fleet, loads) = try await fleetUnderLoad()
        try await fleet.nodes[0].publish(fleet.releases.held2)
        for node in fleet.nodes.dropFirst() {
            try await fleet.wait(for: "a node that waits", on: node) { $0.version(2)?.spread?.role == .waiting }
        }
        try await fleet.wait(for: "the canary", on: fleet.nodes[0]) { $0.applications.first?.serving == [1, 2] }
        let id = try #require(ApplicationID(rawValue: "irislog"))
        func judge(_ node: FleetNode, promotes: Bool) async throws {
            let answer = try await node.ask(
                .judge(application: id, version: 2, promotes: promotes, reason: "slow queries"))
            guard case .done = answer else { throw FleetError("\(answer)") }
        }
        try await judge(fleet.nodes[0], promotes: true)
        let upgraded = try await nodesServing(fleet, atLeast: Self.hosts / 2 + 1)
        // By one of those, and not by the one that promoted it.
        let judging = try #require(upgraded.first { $0.member.name != fleet.nodes[0].member.name })
        try await judge(judging, promotes: false)
        for node in fleet.nodes {
            let status = try await fleet.wait(for: "version 1 alone", on: node) {
                $0.serves(only: 1) && $0.version(2)?.addresses == nil && $0.version(2)?.spread?.role == .withdrawn
            }
            #expect(status.version(2)?.reason?.contains("slow queries") == true, "\(status.version(2)?.reason ?? "")")
        }
        for load in loads {
            let numbers = try await load.finish()
            #expect(numbers.failed == 0, "\(numbers.reasons)")
            #expect(numbers.lost == 0)
            #expect(numbers.updates > 0)
        }
    }

    /// Waits until version 2 serves on so many nodes, and has been promoted there; these nodes.
    private func nodesServing(_ fleet: TestFleet, atLeast count: Int) async throws -> [FleetNode] {
        let deadline = ContinuousClock.now + TestFleet.patience
        var serving: [String: FleetNode] = [:]
        while serving.count < count {
            guard ContinuousClock.now < deadline else { throw FleetError("only \(serving.keys) serve version 2") }
            for node in fleet.nodes where serving[node.member.name] == nil {
                let status = await node.status()
                guard status?.applications.first?.serving.contains(2) == true,
                    status?.version(2)?.spread?.role == .promoted
                else { continue }
                serving[node.member.name] = node
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        return Array(serving.values)
    }
}
