import ExampleFleet
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases
import VersionKitTestbed
import VersionKitWire

/// What nodes tell each other while no version opens a connection.
@Suite("Nodes that tell each other", .serialized)
struct PeerNewsTests {
    /// A node that knows of a stranger with version 1 only, and for its sake keeps version 1 beside version 2.
    private func keeping(
        hasKey: Bool = false
    ) async throws -> (fleet: TestFleet, node: FleetNode, stranger: Stranger) {
        let fleet = try await TestFleet(hosts: 1, bareHosts: ["stranger"], hasKey: hasKey)
        let node = fleet.nodes[0]
        let stranger = Stranger(host: try #require(fleet.testbed["stranger"]))
        try stranger.show(1, to: node)
        try await fleet.wait(for: "the peer", on: node) {
            $0.applications.first?.peers == [stranger.host.address: [1]]
        }
        try await node.publish(fleet.releases.version2)
        try await fleet.wait(for: "both versions", on: node) { $0.applications.first?.serving == [1, 2] }
        return (fleet, node, stranger)
    }

    @Test(
        "a release reaches a peer that opens no connection, and its old version retires on both",
        arguments: [Fleet.Addressing.v4, .v6])
    func withoutConnections(addressing: Fleet.Addressing) async throws {
        let fleet = try await TestFleet(hosts: 2, addressing: addressing, hasKey: true)
        for node in fleet.nodes {
            let load = try await fleet.load(node, protocol: 1)
            try await fleet.wait(for: "a peer", on: node) { $0.applications.first?.peers.isEmpty == false }
            _ = try await load.finish()
        }
        for node in fleet.nodes {
            try await fleet.wait(for: "a peer", on: node) { $0.applications.first?.peers.isEmpty == false }
        }
        var connections: [UInt64?] = []
        for node in fleet.nodes { connections.append(await node.status()?.router.outbound) }
        try await fleet.nodes[0].publish(fleet.releases.version2)
        for (node, before) in zip(fleet.nodes, connections) {
            let status = try await fleet.wait(for: "version 2 alone", on: node) {
                $0.serves(only: 2) && $0.fleet?.waiting == 0
                    && $0.applications.first?.peers.values.map { $0 } == [[2]]
            }
            #expect(status.router.outbound == before)
            #expect((status.fleet?.told ?? 0) > 0)
            #expect(status.fleet?.refused == [:])
        }
    }

    @Test("a peer that says what serves there keeps no other version; its message counts once, and no forged one does")
    func messages() async throws {
        let (fleet, node, stranger) = try await keeping(hasKey: true)
        let key = try FleetKey(contentsOf: fleet.fleetKey)
        let other = try #require(FleetKey(bytes: [UInt8](repeating: 7, count: 32)))
        let message = try stranger.message([2], to: node)
        let wrongCode = message.line(code: other.code(of: message.signedText))
        #expect(try stranger.tell(wrongCode, to: node) == "error wrong-code")
        #expect(try stranger.tell("versions irislog 2", to: node) == "error malformed-message")
        let late = try stranger.message([2], to: node, age: 120_000)
        #expect(try stranger.tell(late.line(code: key.code(of: late.signedText)), to: node) == "error stale-message")
        var elsewhere = message
        elsewhere.receiver = message.sender
        let misled = elsewhere.line(code: key.code(of: elsewhere.signedText))
        #expect(try stranger.tell(misled, to: node) == "error other-receiver")
        elsewhere = message
        elsewhere.sender = message.receiver
        let pretended = elsewhere.line(code: key.code(of: elsewhere.signedText))
        #expect(try stranger.tell(pretended, to: node) == "error other-sender")

        let line = message.line(code: key.code(of: message.signedText))
        #expect(try stranger.tell(line, to: node) == "ok")
        try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        #expect(try stranger.tell(line, to: node) == "error replayed-message")
        let status = try #require(await node.status())
        #expect(status.fleet?.received == 1)
        #expect(
            status.fleet?.refused == [
                "wrong-code": 1, "malformed-message": 1, "stale-message": 1, "other-receiver": 1, "other-sender": 1,
                "replayed-message": 1,
            ])
        #expect((status.fleet?.failed ?? 0) > 0, "the stranger has no router that could be told")
    }

    @Test("without a key messages are refused and counted; an operator can forget the peer that keeps an old version")
    func forgetPeer() async throws {
        let (fleet, node, stranger) = try await keeping()
        let key = try #require(FleetKey(bytes: [UInt8](repeating: 7, count: 32)))
        let message = try stranger.message([2], to: node)
        #expect(
            try stranger.tell(message.line(code: key.code(of: message.signedText)), to: node) == "error no-fleet-key")
        let status = try #require(await node.status())
        #expect(status.fleet?.refused == ["no-fleet-key": 1])
        #expect(status.fleet?.hasKey == false)
        #expect(status.applications.first?.peers == [stranger.host.address: [1]])

        let arguments = ["forget-peer", "irislog", stranger.host.address, "--socket", "\(node.directory)/control.sock"]
        let versionctl = try Programs.directory() + "/versionctl"
        let done = try await Command.run(versionctl, arguments)
        #expect(done.exit.isSuccess, "\(done.output)")
        try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) && $0.fleet?.forgotten == 1 }
        let again = try await Command.run(versionctl, arguments)
        #expect(again.exit == .code(1))
        #expect(again.output.contains("is not known as a peer"))
    }

    @Test("an older version that is kept for a peer retires at an operator's word, and no client loses anything")
    func retire() async throws {
        let (fleet, node, stranger) = try await keeping()
        let versionctl = try Programs.directory() + "/versionctl"
        let socket = ["--socket", "\(node.directory)/control.sock"]
        let load = try await fleet.load(node, protocol: 1)
        let explained = try await Command.run(versionctl, ["explain", "irislog"] + socket)
        #expect(explained.output.contains("versionctl retire"))

        let done = try await Command.run(versionctl, ["retire", "irislog"] + socket)
        #expect(done.exit.isSuccess, "\(done.output)")
        #expect(done.output.contains("peers that need it, and will not find it here: 1"))
        let status = try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        #expect(status.applications.first?.peers == [stranger.host.address: [1]], "nobody was forgotten")
        let again = try await Command.run(versionctl, ["retire", "irislog"] + socket)
        #expect(again.exit == .code(1))
        #expect(again.output.contains("no older version"))
        let finished = try await load.finish()
        #expect(finished.failed == 0 && finished.lost == 0, "\(finished)")
    }

    @Test("what an operator said of an older version is known to the next versiond, if one is killed at once")
    func retireAndKill() async throws {
        let fleet = try await TestFleet(hosts: 1, diesAtCrashPoints: true)
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        // By itself it would stay for longer than the test.
        try await node.publish(fleet.releases.lasting2)
        let deadline = ContinuousClock.now + TestFleet.patience
        while !(try await node.versionctl("history", ["irislog"])).output.contains("version 2 of irislog serves") {
            try #require(ContinuousClock.now < deadline, "version 2 does not serve")
            try await Task.sleep(for: .milliseconds(20))
        }
        // The journal has it, and nothing else was done.
        try write("2\n", to: node.crashPoints)
        let answer = try await node.versionctl("retire", ["irislog"])
        #expect(!answer.exit.isSuccess, "\(answer.output)")
        _ = try await node.process.wait()
        #expect(node.crashPoint.contains("retires at the operator's word"))
        fleet.nodes[0] = try node.restarted()
        let status = try await fleet.wait(for: "version 2 alone", on: fleet.nodes[0]) { $0.serves(only: 2) }
        #expect(status.version(1)?.state == .retired)
        #expect(try await load.finish().lost == 0)
    }

    @Test("nodes with a key that have nothing to do with each other for longer than the limit are not forgotten")
    func quiet() async throws {
        let fleet = try await TestFleet(hosts: 2, hasKey: true, settings: ["\"peerSilenceSeconds\": 12"])
        let load = try await fleet.load(fleet.nodes[0], protocol: 1)
        for node in fleet.nodes {
            try await fleet.wait(for: "a peer", on: node) { $0.applications.first?.peers.isEmpty == false }
        }
        _ = try await load.finish()
        for node in fleet.nodes {
            // Five messages are more than the limit apart.
            let status = try await fleet.wait(for: "messages", on: node) { ($0.fleet?.received ?? 0) >= 7 }
            #expect(status.fleet?.forgotten == 0)
            #expect(status.applications.first?.peers.values.map { $0 } == [[1]])
        }
    }

    @Test("a peer that is silent for longer than the limit is forgotten, and keeps no old version")
    func silence() async throws {
        let settings = ["\"peerSilenceSeconds\": 1"]
        let fleet = try await TestFleet(hosts: 1, bareHosts: ["stranger"], settings: settings)
        let node = fleet.nodes[0]
        try Stranger(host: try #require(fleet.testbed["stranger"])).show(1, to: node)
        // A status is put together bit by bit: what is counted may be newer than the peers in it.
        let status = try await fleet.wait(for: "forgetting", on: node) {
            $0.fleet?.forgotten == 1 && $0.applications.first?.peers == [:]
        }
        #expect(status.fleet?.peerSilenceSeconds == 1)
        try await node.publish(fleet.releases.version2)
        try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
    }
}
