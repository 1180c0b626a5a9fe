import ExampleFleet
import FoundationEssentials
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets
import VersionKitTestbed

/// Goal: a node hears of a release by what its versions say to peers, whatever it is that they say, and when it was away.
/// Method: a service that sends what the test has it send, on two hosts without a fleet's key; and whole fleets.
@Suite("Nodes that hear of releases", .serialized)
struct DiscoveryTests {
    /// Something that a version 1 sends to a peer's port.
    private static let ways: [(SocketKind, isObsolete: Bool)] = [
        (.datagrams, false), (.datagrams, true), (.stream, false), (.stream, true),
    ]

    @Test(
        "by a header of the other router's, or by its answer that version 1 does not run there", arguments: ways.indices
    )
    func headers(_ way: Int) async throws {
        let (kind, isObsolete) = Self.ways[way]
        let fleet = try await PeersFleet("discovery-\(way)", kernelPath: "none")
        let (newer, older) = (fleet.hosts[0], fleet.hosts[1])
        let inside = try fleet.environment(of: older)
        defer { close(inside) }
        let address = try #require(newer.host.addresses.first.flatMap { IPAddress($0) })
        let server = Endpoint(address: address, port: PeersFleet.port)
        if !isObsolete {
            // The other host then keeps version 1 for this one.
            let client = try PortClient(in: inside, kind, to: server)
            #expect(client.ask() == "1")
            try await fleet.wait("a peer", on: newer) { $0.applications.first?.peers.isEmpty == false }
        }
        try await newer.publish(fleet.releases[1])
        try await fleet.wait("version 2", on: newer) {
            $0.applications.first?.serving == (isObsolete ? [2] : [1, 2]) && (!isObsolete || $0.serves(only: 2))
        }
        #expect(await older.status()?.version(2) == nil)
        // The same header is no news for a moment, and a datagram may be lost: it is said again until it is heard.
        let status = try await fleet.wait("version 2, by its peer", on: older) { status in
            if status.version(2) == nil, let client = try? PortClient(in: inside, kind, to: server, seconds: 1) {
                let answer = client.ask()
                #expect(isObsolete ? answer != "2" : answer == "1", "\(answer)")
            }
            return status.serves(only: 2)
        }
        #expect(status.fleet?.hasKey == false)
        // Without a key the other one hears of that by the next header.
        let newInside = try fleet.environment(of: older)
        defer { close(newInside) }
        #expect(try PortClient(in: newInside, kind, to: server).ask() == "2")
        for host in fleet.hosts { try await fleet.wait("version 2 alone", on: host) { $0.serves(only: 2) } }
    }

    @Test("a node that was down while a release spread, or is new, catches up", arguments: [false, true])
    func absent(isNew: Bool) async throws {
        let fleet = try await TestFleet(hosts: 3, hasKey: true)
        var loads: [LoadProcess] = []
        for node in fleet.nodes.prefix(2) { loads.append(try await fleet.load(node, protocol: 1)) }
        for node in fleet.nodes {
            try await fleet.wait(for: "a peer", on: node) { $0.applications.first?.peers.isEmpty == false }
        }
        let absent = fleet.nodes[2]
        absent.process.kill()
        _ = try await absent.process.wait()
        absent.switchOff()
        if isNew { try FileManager.default.removeItem(atPath: "\(absent.directory)/state") }
        try await fleet.nodes[0].publish(fleet.releases.version2)
        for node in fleet.nodes.prefix(2) {
            // They keep version 1 for the node that they cannot ask.
            try await fleet.wait(for: "version 2", on: node) { $0.applications.first?.serving == [1, 2] }
        }
        fleet.nodes[2] = try absent.restarted()
        let back = fleet.nodes[2]
        try await fleet.wait(for: "an answer", on: back) { _ in true }
        // A new node is given what its operator has, which may be old.
        if isNew { try await back.publish(fleet.releases.version1) }
        for node in fleet.nodes { try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) } }
        for load in loads { #expect(try await load.finish().lost == 0) }
        #expect(try await fleet.load(back, protocol: 2).finish().failed == 0)
    }
}
