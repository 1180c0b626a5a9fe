import ExampleFleet
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitTestbed

/// Goal: a fleet that falls apart during an upgrade serves on in each part, and comes together by itself. Method: real nodes
/// with clients, and a host that reaches nobody for a while.
@Suite("Fleets that fall apart", .serialized)
struct PartitionTests {
    /// Keeps a host and the others from sending anything to each other.
    private func cut(_ node: FleetNode, off others: [FleetNode], isCut: Bool = true) throws {
        for other in others {
            for (sender, receiver) in [(node, other), (other, node)] {
                for address in receiver.member.addresses {
                    let arguments = ["route", isCut ? "add" : "delete", "blackhole", address]
                    let result = try sender.host.run("ip", arguments)
                    try #require(result.exit.isSuccess, "\(result.errors)")
                }
            }
        }
    }

    @Test(
        "the node that is cut off keeps the old version, which the others keep for it, and catches up when it is back")
    func heals() async throws {
        let fleet = try await TestFleet(hosts: 3, hasKey: true)
        var loads: [LoadProcess] = []
        for node in fleet.nodes { loads.append(try await fleet.load(node, protocol: 1)) }
        for node in fleet.nodes {
            try await fleet.wait(for: "a peer", on: node) { $0.applications.first?.peers.isEmpty == false }
        }
        let (lost, others) = (fleet.nodes[2], Array(fleet.nodes.prefix(2)))
        try cut(lost, off: others)
        try await fleet.nodes[0].publish(fleet.releases.version2)
        for node in others {
            try await fleet.wait(for: "both versions", on: node) { $0.applications.first?.serving == [1, 2] }
        }
        let status = try await fleet.wait(for: "version 1", on: lost) { $0.serves(only: 1) }
        #expect(status.version(2) == nil)
        try cut(lost, off: others, isCut: false)
        for node in fleet.nodes {
            try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        }
        for load in loads {
            let numbers = try await load.finish()
            // Answers about all nodes lack those that cannot be reached; what clients were told is done is there.
            #expect(numbers.lost == 0)
            #expect(numbers.updates > 0)
        }
    }

    @Test("the node from which the others fetch a release is cut off, and they go on when it is back")
    func publisherIsLost() async throws {
        let fleet = try await TestFleet(hosts: 2, hasKey: true)
        var loads: [LoadProcess] = []
        for node in fleet.nodes { loads.append(try await fleet.load(node, protocol: 1)) }
        for node in fleet.nodes {
            try await fleet.wait(for: "a peer", on: node) { $0.applications.first?.peers.isEmpty == false }
        }
        let (origin, other) = (fleet.nodes[0], fleet.nodes[1])
        try await origin.publish(fleet.releases.version2)
        try await fleet.wait(for: "the release", on: other) { $0.version(2) != nil }
        try cut(origin, off: [other])
        try await fleet.wait(for: "both versions", on: origin) { $0.applications.first?.serving.contains(2) == true }
        try cut(origin, off: [other], isCut: false)
        for node in fleet.nodes {
            try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        }
        for load in loads { #expect(try await load.finish().lost == 0) }
    }
}
