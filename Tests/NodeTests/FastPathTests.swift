import ExampleFleet
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitTestbed

@Suite("What nodes leave to the kernel", .serialized)
struct FastPathTests {
    /// Waits until a node says that connections went by a path, both ways.
    private func carried(by path: String, on node: FleetNode) async throws -> TrafficStatus {
        let deadline = ContinuousClock.now + TestFleet.patience
        while ContinuousClock.now < deadline {
            guard case .traffic(let rows) = try await node.ask(.traffic) else { break }
            if let row = rows.first(where: {
                $0.path == path && $0.connections > 0 && $0.bytesOut > 0 && $0.bytesIn > 0
            }) {
                return row
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw FleetError("nothing went by \(path)")
    }

    @Test(
        "once a peer was heard its connections go by the kernel, which nobody's answer shows and every status does",
        arguments: ["ebpf", "nftables"], [Fleet.Addressing.v4, .both, .v6])
    func carried(kind: String, addressing: Fleet.Addressing) async throws {
        let fleet = try await TestFleet(hosts: 2, addressing: addressing, settings: ["\"kernelPath\": \"\(kind)\""])
        var loads: [LoadProcess] = []
        for node in fleet.nodes { loads.append(try await fleet.load(node, protocol: 1)) }
        for node in fleet.nodes {
            let status = try await fleet.wait(for: "a route", on: node) { ($0.router.kernel?.routes ?? 0) > 0 }
            #expect(status.router.kernel?.kind == kind)
            #expect(status.router.kernel?.directPorts == 1)
            #expect(Diagnosis.findings(of: status).filter(\.isTrouble) == [])
        }
        let node = fleet.nodes[0]
        let row = try await carried(by: kind, on: node)
        #expect(row.version == 1)
        for load in loads {
            let numbers = try await load.finish()
            #expect(numbers.failed == 0)
            #expect(numbers.lost == 0)
        }
        let peer = try #require(IPAddress(row.peer))
        #expect(row.peer == fleet.nodes[1].member.address)
        let query = FlowQuery(application: row.application, version: 1, peer: peer, port: .tcp(Fleet.peerPort))
        guard case .flow(let flow) = try await node.ask(.explain(query)) else {
            Issue.record("no explanation")
            return
        }
        #expect(flow.path == .fast && flow.reason == .learnt)
        let directPort = try #require(flow.directPort)
        #expect(flow.explanation.contains("fast path: the kernel sends it to port \(directPort) of the peer"))
        #expect((0...60).contains(try #require(flow.remainingSeconds)))
    }

    @Test("a node that is to have no fast path says so, and its peers are reached all the same")
    func unwanted() async throws {
        let fleet = try await TestFleet(hosts: 2, settings: ["\"kernelPath\": \"none\""])
        let load = try await fleet.load(fleet.nodes[0], protocol: 1)
        let numbers = try await load.finish()
        #expect(numbers.failed == 0)
        let status = try #require(await fleet.nodes[0].status())
        #expect(status.router.kernel?.kind == nil)
        #expect(status.router.kernel?.missing == [:])
        #expect(status.router.kernel?.directPorts == 0)
        let application = try #require(status.applications.first?.application)
        let peer = try #require(IPAddress(fleet.nodes[1].member.address))
        let query = FlowQuery(application: application, version: 1, peer: peer, port: .tcp(Fleet.peerPort))
        guard case .flow(let flow) = try await fleet.nodes[0].ask(.explain(query)) else {
            Issue.record("no explanation")
            return
        }
        #expect(flow.path == .slow && flow.reason == .noFastPath && flow.missing?.isEmpty == false)
    }

    @Test(
        "versiond that is killed under load leaves nothing that a new one does not take over or remove, by any path",
        arguments: ["ebpf", "nftables", "none"])
    func killed(kind: String) async throws {
        let hasFastPath = kind != "none"
        let fleet = try await TestFleet(hosts: 2, addressing: .both, settings: ["\"kernelPath\": \"\(kind)\""])
        let load = try await fleet.load(fleet.nodes[1], protocol: 1)
        if hasFastPath {
            try await fleet.wait(for: "a route", on: fleet.nodes[1]) { ($0.router.kernel?.routes ?? 0) > 0 }
        }
        fleet.nodes[0].process.kill()
        _ = try await fleet.nodes[0].process.wait()
        fleet.nodes[0] = try fleet.nodes[0].restarted()
        // It has the direct port by which its peer still knows it, and the peer's connections arrive again.
        try await fleet.wait(for: "the direct port", on: fleet.nodes[0]) {
            $0.serves(only: 1) && $0.router.kernel?.directPorts == (hasFastPath ? 1 : 0)
        }
        _ = try await carried(by: hasFastPath ? kind : "relay", on: fleet.nodes[0])
        #expect(try await load.finish().lost == 0)
        fleet.nodes[0].process.terminate()
        _ = try await fleet.nodes[0].process.wait()
        let rules = try fleet.nodes[0].host.run("nft", ["list", "tables"])
        #expect(rules.output == "")
        for family in ["-4", "-6"] {
            let routes = try fleet.nodes[0].host.run("ip", [family, "rule", "list"])
            #expect(!routes.output.contains("fwmark"))
        }
        // The kernel takes a network namespace down in its own time.
        let deadline = ContinuousClock.now + TestFleet.patience
        while try fleet.nodes[0].host.run("ip", ["link", "list"]).output.contains("vk0") {
            try #require(ContinuousClock.now < deadline)
        }
    }
}
