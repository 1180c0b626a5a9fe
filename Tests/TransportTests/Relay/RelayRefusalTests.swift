import Glibc
import NIOCore
import Testing
import VersionKitModel
import VersionKitRouter
import VersionKitTestbed
import VersionKitTransport
import VersionKitWire

@Suite("What an application sees of a relay that cannot connect it", .serialized)
struct RelayRefusalTests {
    @Test(
        "a version that does not listen is a closed port to the remote application, on the first connection and later",
        arguments: IPAddress.Family.allCases)
    func notListening(_ family: IPAddress.Family) throws {
        let fleet = try RelayFleet(family: family)
        let (here, there) = (fleet.nodes[0], fleet.nodes[1])
        let environment = try #require(here.environments[1])
        for _ in 0..<5 {
            #expect(try TestStream.refusal(to: there.address, in: environment) == .reset)
        }
        #expect(there.relay.counters.refused["connect: Connection refused"] == 5)
        #expect(there.relay.counters.plain == 0)
        // As soon as it listens it is reached.
        let server = try TestStream.listen(family, in: try #require(there.environments[1]))
        try TestStream.exchange(to: there.address, in: environment, with: server)
    }

    @Test(
        "a version that the peer does not run is a closed port, and its router hears which versions the peer runs",
        arguments: IPAddress.Family.allCases)
    func notRunning(_ family: IPAddress.Family) throws {
        let fleet = try RelayFleet(family: family)
        let (here, there) = (fleet.nodes[0], fleet.nodes[1])
        there.route(advertised: [2])
        try there.waitForRouting()
        #expect(try TestStream.refusal(to: there.address, in: try #require(here.environments[1])) == .reset)
        try here.wait(for: "refusal") { $0.refused["refused-by-peer"] == 1 }
        #expect(here.heard.all.map(\.sender) == [2])
        #expect(there.relay.counters.refused["version-not-running"] == 1)
        let traffic = try #require(here.relay.traffic().first)
        #expect(traffic.refused["refused-by-peer"] == 1)
    }

    @Test("an application that the peer does not manage is a closed port, and nothing of it is spoken plainly")
    func unknownApplication() throws {
        let fleet = try RelayFleet()
        let (here, there) = (fleet.nodes[0], fleet.nodes[1])
        let other = try #require(ApplicationID(rawValue: "other"))
        there.relay.update(
            RoutingTable([
                other: .init(
                    ports: [.tcp(RelayFleet.port)], versions: [1: HostAddresses(there.environmentAddress(of: 1))],
                    advertised: [1])
            ]))
        try there.waitForRouting()
        let server = try TestStream.listen(in: try #require(there.environments[1]))
        #expect(try TestStream.refusal(to: there.address, in: try #require(here.environments[1])) == .reset)
        #expect(!server.hasConnection)
        #expect(there.relay.counters.refused["unknown-application"] == 1)
    }

    @Test(
        "a peer whose port is closed, and one that no route leads to, are seen at once, and counted apart",
        arguments: IPAddress.Family.allCases)
    func unreachable(_ family: IPAddress.Family) throws {
        let fleet = try RelayFleet(nodes: 1, bareHosts: 1, family: family)
        let here = fleet.nodes[0]
        let environment = try #require(here.environments[1])
        #expect(try TestStream.refusal(to: fleet.bareAddress(), in: environment) == .reset)
        #expect(
            try TestStream.refusal(
                to: try #require(IPAddress(family == .v4 ? "10.98.0.1" : "fd98::1")), in: environment) == .reset)
        #expect(here.relay.counters.refused["connect: Connection refused"] == 1)
        #expect(here.relay.counters.refused["connect: No route to host"] == 1)
    }

    @Test(
        "a version that connects to its own host's address reaches itself, once, and an environment is no destination",
        arguments: IPAddress.Family.allCases)
    func circles(_ family: IPAddress.Family) throws {
        let fleet = try RelayFleet(nodes: 1, family: family)
        let here = fleet.nodes[0]
        let environment = try #require(here.environments[1])
        let server = try TestStream.listen(family, in: environment)
        for _ in 0..<3 {
            try TestStream.exchange(to: here.address, in: environment, with: server)
        }
        #expect(here.relay.counters.outbound == 3)
        #expect(here.relay.counters.inbound == 3)
        #expect(try TestStream.refusal(to: here.environmentAddress(of: 2), in: environment) == .reset)
        #expect(here.relay.counters.refused["to-environment"] == 1)
        // The port that intercepted connections are handed to is none of the application's.
        #expect(try TestStream.refusal(to: here.address, port: 15_001, in: environment) == .reset)
        #expect(here.relay.counters.refused["unregistered-port"] == 1)
        #expect(try TestStream.refusal(to: here.address, port: 15_001, in: here.host.namespace) == .reset)
        #expect(here.relay.counters.refused["unknown-sender"] == 1)
    }

    @Test("connections that never say who they are do not keep out those that do")
    func flood() throws {
        var limits = Limits.standard
        limits.identifyingConnectionsMax = 16
        limits.headerTimeout = .seconds(60)
        let fleet = try RelayFleet(nodes: 1, bareHosts: 1, limits: limits)
        let here = fleet.nodes[0]
        let host = fleet.bareHost()
        let silent = try (0..<60).map { _ in try TestStream.connect(to: here.address, in: host.namespace) }
        try here.wait(for: "flood") { $0.refused["too-many-identifying"] == 44 }
        #expect(silent[0].end() == .reset)
        #expect(silent[43].end() == .reset)
        let server = try TestStream.listen(in: try #require(here.environments[1]))
        let client = try TestStream.connect(to: here.address, in: host.namespace)
        client.send("plain")
        #expect(try server.accept().text(5) == "plain")
        // The youngest of them still may speak.
        silent[59].send("late")
        #expect(try server.accept().text(4) == "late")
    }

    @Test("a header that is cut short, or whose sender leaves in the middle, reaches no version")
    func brokenHeaders() throws {
        let fleet = try RelayFleet(nodes: 1, bareHosts: 1)
        let here = fleet.nodes[0]
        let server = try TestStream.listen(in: try #require(here.environments[1]))
        let header = Array(VersionHeader(application: RelayFleet.application, sender: 1).encoded().readableBytesView)
        let host = fleet.bareHost()
        for length in [4, 5, 8, header.count - 1] {
            let stream = try TestStream.connect(to: here.address, in: host.namespace)
            stream.send(Array(header.prefix(length)))
            stream.finish()
            #expect(stream.end() == .reset)
        }
        #expect(here.relay.counters.refused["truncated"] == 4)
        // Byte by byte it is a header like any other, and the answer has one too.
        let slow = try TestStream.connect(to: here.address, in: host.namespace)
        _ = sendAtOnce(slow.socket)
        for byte in header { slow.send([byte]) }
        slow.send("x")
        let accepted = try server.accept()
        #expect(accepted.text(1) == "x")
        accepted.send("y")
        #expect(slow.receive(header.count + 1).last == UInt8(ascii: "y"))
        #expect(!server.hasConnection)
    }
}

private func sendAtOnce(_ socket: Int32) -> Int32 {
    var one: Int32 = 1
    return setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
}
