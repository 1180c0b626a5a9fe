import ExampleFleet
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitTestbed

/// Releases that nodes fetch from each other: real versiond, hosts and links.
@Suite("Releases fetched from many nodes", .serialized)
struct SwarmFetchTests {
    private let port = 15_002

    /// Clients at each node.
    private func loads(on fleet: TestFleet) async throws -> [LoadProcess] {
        var loads: [LoadProcess] = []
        for node in fleet.nodes { loads.append(try await fleet.load(node, protocol: 1)) }
        return loads
    }

    private func finish(_ loads: [LoadProcess]) async throws {
        for load in loads { #expect(try await load.finish().lost == 0) }
    }

    @Test("a release spreads by BitTorrent, and who has it hands it on")
    func spreads() async throws {
        let fleet = try await TestFleet(hosts: 4)
        // Nodes hear of versions by what their applications say to each other.
        let loads = try await loads(on: fleet)
        try await fleet.nodes[0].publish(fleet.releases.version2)
        for node in fleet.nodes {
            let status = try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
            let swarm = try #require(status.swarm)
            #expect(swarm.port == UInt16(port))
            #expect((swarm.fallbacks, swarm.wrongPieces, swarm.bannedPeers) == (0, 0, 0))
            #expect(status.version(2)?.download == nil)
            if node.member.name != fleet.nodes[0].member.name { #expect(swarm.bytesReceived > 1_000_000) }
            // Version 1 as well, for a time.
            try await fleet.wait(for: "handing on", on: node) { $0.swarm?.releases == 2 }
        }
        try await finish(loads)
    }

    @Test("when no peer can be reached, a release comes from the node that advertised it")
    func fallsBack() async throws {
        let fleet = try await TestFleet(hosts: 2)
        let host = try #require(fleet.testbed[fleet.nodes[0].member.name])
        for rule in [
            "add table inet cut", "add chain inet cut in { type filter hook input priority 0; }",
            "add rule inet cut in meta l4proto { tcp, udp } th dport \(port) drop",
        ] {
            let result = try host.run("nft", [rule])
            try #require(result.exit.isSuccess)
        }
        // Nodes hear of versions by what their applications say to each other.
        let loads = try await loads(on: fleet)
        try await fleet.nodes[0].publish(fleet.releases.version2)
        try await fleet.wait(for: "direct download", on: fleet.nodes[1]) {
            $0.version(2)?.download?.fallback?.contains("no peer") == true
                || $0.swarm?.fallbacks == 1
        }
        let status = try await fleet.wait(for: "version 2 alone", on: fleet.nodes[1]) { $0.serves(only: 2) }
        #expect(status.swarm?.fallbacks == 1)
        #expect(status.swarm?.bytesReceived == 0)
        try await finish(loads)
    }

    @Test("a node without a port for peers gets its releases all the same")
    func withoutSwarm() async throws {
        let fleet = try await TestFleet(hosts: 2, settings: ["\"swarmPort\": 0"])
        // Nodes hear of versions by what their applications say to each other.
        let loads = try await loads(on: fleet)
        try await fleet.nodes[0].publish(fleet.releases.version2)
        let status = try await fleet.wait(for: "version 2 alone", on: fleet.nodes[1]) { $0.serves(only: 2) }
        #expect(status.swarm == nil)
        try await finish(loads)
    }

    @Test("a node that is killed in the middle of a download fetches only the rest, and a limit holds")
    func resumes() async throws {
        let limit = 4_000_000
        let fleet = try await TestFleet(hosts: 2, settings: ["\"swarmDownloadLimit\": \(limit)"])
        // Nodes hear of versions by what their applications say to each other.
        let loads = try await loads(on: fleet)
        try await fleet.nodes[0].publish(fleet.releases.version2)
        var began: ContinuousClock.Instant?
        var atBegin: UInt64 = 0
        let before = try await fleet.wait(for: "a third of it", on: fleet.nodes[1]) { status in
            guard let download = status.version(2)?.download, download.bytes > 0 else { return false }
            if began == nil { (began, atBegin) = (.now, download.bytesReceived) }
            return download.bytes > download.bytesWanted / 3
        }
        let download = try #require(before.version(2)?.download)
        let elapsed = ContinuousClock.now - (try #require(began))
        // A second's worth may be saved up.
        let most = Double(limit) * (elapsed / .seconds(1) + 1.5)
        #expect(Double(download.bytesReceived - atBegin) < most)
        #expect(download.way == .swarm)
        fleet.nodes[1].process.kill()
        _ = try await fleet.nodes[1].process.wait()
        fleet.nodes[1] = try fleet.nodes[1].restarted()
        let after = try await fleet.wait(for: "version 2 alone", on: fleet.nodes[1]) { $0.serves(only: 2) }
        let swarm = try #require(after.swarm)
        #expect(swarm.fallbacks == 0)
        // Pieces of which some blocks had come are fetched again.
        #expect(swarm.bytesReceived <= download.bytesWanted - download.bytes + 4_000_000)
        #expect(swarm.bytesReceived > 0)
        try await finish(loads)
    }
}
