import ExampleFleet
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel

/// Goal: it does not matter who publishes what where. Method: real nodes with clients, and two publishers at one time.
@Suite("Releases that are published at one time", .serialized)
struct ConcurrentReleasesTests {
    /// Gives each node its release, all at one time.
    private func publish(_ releases: [String], on nodes: [FleetNode]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (node, release) in zip(nodes, releases) { group.addTask { try await node.publish(release) } }
            try await group.waitForAll()
        }
    }

    @Test("of two versions on two nodes all come to the newer one, and nothing is lost on the way")
    func twoVersions() async throws {
        let fleet = try await TestFleet(hosts: 3, hasKey: true)
        var loads: [LoadProcess] = []
        for node in fleet.nodes { loads.append(try await fleet.load(node, protocol: 1)) }
        for node in fleet.nodes {
            try await fleet.wait(for: "a peer", on: node) { $0.applications.first?.peers.isEmpty == false }
        }
        try await publish([fleet.releases.version2, fleet.releases.version3], on: fleet.nodes)
        for node in fleet.nodes {
            try await fleet.wait(for: "version 3 alone", on: node) { status in
                #expect(status.applications.first?.serving.isEmpty == false, "nobody serves")
                return status.serves(only: 3)
            }
        }
        for load in loads {
            let numbers = try await load.finish()
            #expect(numbers.lost == 0)
            #expect(numbers.updates > 0)
        }
    }

    @Test("of two releases with one number each node serves the one that it was given")
    func oneNumber() async throws {
        let fleet = try await TestFleet(hosts: 2, hasKey: true)
        var loads: [LoadProcess] = []
        for node in fleet.nodes { loads.append(try await fleet.load(node, protocol: 1)) }
        try await publish([fleet.releases.version2, fleet.releases.lasting2], on: fleet.nodes)
        for node in fleet.nodes {
            try await fleet.wait(for: "version 2", on: node) { $0.applications.first?.serving.contains(2) == true }
        }
        for load in loads { #expect(try await load.finish().lost == 0) }
    }
}
