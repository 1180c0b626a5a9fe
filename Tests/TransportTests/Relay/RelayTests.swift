import Glibc
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitRouter
import VersionKitTestbed
import VersionKitTransport
import VersionKitWire

@Suite("TCP relay", .serialized)
struct RelayTests {
    @Test(
        "a version reaches the same version at the peer, which sees the peer's own address",
        arguments: IPAddress.Family.allCases)
    func sameVersion(_ family: IPAddress.Family) throws {
        let fleet = try RelayFleet(family: family)
        let (here, there) = (fleet.nodes[0], fleet.nodes[1])
        for version in [1, 2] as [Version] {
            let server = try TestStream.listen(family, in: try #require(there.environments[version]))
            let client = try TestStream.connect(to: there.address, in: try #require(here.environments[version]))
            client.send("I am \(version)")
            let accepted = try server.accept()
            #expect(accepted.text(6) == "I am \(version)")
            #expect(accepted.peer == here.address)
            // A port that no environment gives to its sockets, whose connections come from the same address.
            #expect(EphemeralPorts.relay.contains(accepted.peerPort ?? 0))
        }
        #expect(there.heard.all.contains { $0.sender == 2 && $0.advertised == 1 })
        #expect(there.relay.counters.inbound == 2)
        #expect(here.relay.counters.outbound == 2)
    }

    @Test(
        "connections to a router that was heard go by one that is open already, with header and data in one piece",
        arguments: IPAddress.Family.allCases)
    func pooled(_ family: IPAddress.Family) throws {
        let fleet = try RelayFleet(family: family)
        let (here, there) = (fleet.nodes[0], fleet.nodes[1])
        let environment = try #require(here.environments[1])
        let server = try TestStream.listen(family, in: try #require(there.environments[1]))
        try TestStream.exchange(to: there.address, in: environment, with: server)
        // The pool fills in the background: sooner or later a connection finds it filled.
        let deadline = ContinuousClock.now + .seconds(20)
        while here.relay.counters.pooled < 3, ContinuousClock.now < deadline {
            try TestStream.exchange(to: there.address, in: environment, with: server)
        }
        #expect(here.relay.counters.pooled >= 3)
        #expect(here.relay.counters.refused.isEmpty, "\(here.relay.counters.refused)")
        #expect(there.relay.counters.plain == 0)
    }

    @Test("connections that wait for use are renewed before the peer's router gives up on them, and reach no version")
    func renewal() throws {
        var limits = Limits.standard
        limits.pooledConnectionLifetime = .milliseconds(100)
        let fleet = try RelayFleet(limits: limits)
        let (here, there) = (fleet.nodes[0], fleet.nodes[1])
        let server = try TestStream.listen(in: try #require(there.environments[1]))
        try TestStream.exchange(to: there.address, in: try #require(here.environments[1]), with: server)
        try there.wait(for: "renewal") { $0.unused >= 5 }
        #expect(there.relay.counters.plain == 0)
        #expect(!server.hasConnection)
        #expect(there.relay.counters.refused.isEmpty, "\(there.relay.counters.refused)")
    }

    @Test(
        "a stream of megabytes arrives unchanged in both directions, each end after all of its bytes",
        arguments: IPAddress.Family.allCases)
    func streams(_ family: IPAddress.Family) async throws {
        let fleet = try RelayFleet(family: family)
        let (here, there) = (fleet.nodes[0], fleet.nodes[1])
        let server = try TestStream.listen(family, in: try #require(there.environments[1]))
        let client = try TestStream.connect(to: there.address, in: try #require(here.environments[1]))
        client.send("go")
        let accepted = try server.accept()
        #expect(accepted.text(2) == "go")
        let (out, back) = (TestStream.pattern(32 << 20, by: 31), TestStream.pattern(8 << 20, by: 17))
        async let first: Void = onThread("out") {
            client.send(out)
            client.finish()
        }
        async let second: Void = onThread("back") { accepted.send(back) }
        async let arrived = onThread("in") { accepted.receive(out.count) }
        async let returned = onThread("return") { client.receive(back.count) }
        _ = await (first, second)
        #expect(await arrived == out)
        #expect(await returned == back)
        #expect(accepted.end() == .finished)
        accepted.send("after the end")
        #expect(client.text(13) == "after the end")
        accepted.finish()
        #expect(client.end() == .finished)
        #expect(here.relay.counters.bytes >= UInt64(out.count + back.count + 15))
    }

    @Test("an end that takes nothing holds back the other, and gets all of it later")
    func backPressure() async throws {
        let fleet = try RelayFleet()
        let (here, there) = (fleet.nodes[0], fleet.nodes[1])
        let server = try TestStream.listen(in: try #require(there.environments[1]))
        let client = try TestStream.connect(to: there.address, in: try #require(here.environments[1]))
        client.send("go")
        let accepted = try server.accept()
        let bytes = TestStream.pattern(64 << 20, by: 13)
        async let sent: Void = onThread("out") { client.send(bytes) }
        // While the sender waits for room, another connection is served.
        let other = try TestStream.listen(in: try #require(there.environments[2]))
        try TestStream.exchange(to: there.address, in: try #require(here.environments[2]), with: other)
        #expect(accepted.text(2) == "go")
        let arrived = await onThread("in") { accepted.receive(bytes.count) }
        _ = await sent
        #expect(arrived == bytes)
    }

    @Test("several threads share the ports, and their counters are one")
    func threads() throws {
        let fleet = try RelayFleet(threads: 3)
        let (here, there) = (fleet.nodes[0], fleet.nodes[1])
        #expect(here.relay.threads == 3)
        let server = try TestStream.listen(in: try #require(there.environments[1]))
        for number in 0..<40 {
            try TestStream.exchange(
                "number \(number)", to: there.address, in: try #require(here.environments[1]), with: server)
        }
        #expect(here.relay.counters.outbound == 40)
        #expect(there.relay.counters.inbound == 40)
        let traffic = try #require(there.relay.traffic().first { $0.version == 1 })
        #expect(traffic.peer == here.address)
        #expect(traffic.connections == 40)
        #expect(traffic.bytesOut == traffic.bytesIn + 40 * 4)
        #expect(there.relay.counters.delivered[RelayFleet.application]?[1] == 40)
    }

    @Test(
        "traffic is counted for each version and peer, and beyond the bound for all other peers of a version together")
    func traffic() throws {
        var limits = Limits.standard
        limits.relayFlowsMax = 2
        let fleet = try RelayFleet(nodes: 1, bareHosts: 4, limits: limits)
        let here = fleet.nodes[0]
        let server = try TestStream.listen(in: try #require(here.environments[1]))
        for number in 0..<4 {
            try TestStream.exchange("four", to: here.address, in: fleet.bareHost(number).namespace, with: server)
        }
        let traffic = here.relay.traffic()
        #expect(traffic.count == 3)
        let others = try #require(traffic.first { $0.peer == nil })
        #expect(others.connections == 2)
        #expect(others.bytesIn == 8)
        #expect(others.bytesOut == 16)
        let first = try #require(traffic.first { $0.peer == IPAddress(fleet.bareHost(0).address) })
        #expect(first.connections == 1)
        #expect(here.relay.counters.bytes == 48)
    }
}
