import CLinux
import Glibc
import NIOCore
import Testing
import VersionKitModel
import VersionKitRouter
import VersionKitTestbed
import VersionKitTransport
import VersionKitWire

@Suite("Datagrams that do not arrive", .timeLimit(.minutes(1)))
struct DatagramErrorTests {
    @Test(
        "at a closed port are refused at once, as without a router between", arguments: IPAddress.Family.allCases,
        [true, false])
    func closedPort(_ family: IPAddress.Family, onePort: Bool) async throws {
        let fleet = try await DatagramFleet(family)
        let client = try fleet.a.socket(of: 1, port: onePort ? DatagramHost.port : 0)
        try client.connect(fleet.b.address)
        try client.send([1])
        #expect(throws: DatagramEnd.Failure.self) { try client.receive() }
        _ = try await fleet.b.counters(DatagramHost.table(of: 1)) { $0.dropped["version-port-closed"] == 1 }
        // Whoever opens the port later is reached.
        let server = try fleet.b.socket(of: 1)
        try client.send([2])
        #expect(try server.receive().bytes == [2])
    }

    @Test(
        "at a version that does not run there are refused, and the sender's router hears which one does",
        arguments: IPAddress.Family.allCases)
    func notRunning(_ family: IPAddress.Family) async throws {
        let fleet = try await DatagramFleet(family)
        try await fleet.b.route(DatagramHost.table(of: 1, advertised: [2]))
        let client = try fleet.a.socket(of: 1, port: 0)
        try client.connect(fleet.b.address)
        try client.send([1])
        #expect(throws: DatagramEnd.Failure.self) { try client.receive() }
        let event = await fleet.a.next { if case .control = $0 { true } else { false } }
        guard case .control(let header, let payload, let from, let port)? = event else {
            Issue.record("nothing was heard")
            return
        }
        #expect(header.sender == 2)
        #expect(payload.isEmpty)
        #expect(from == fleet.b.address)
        #expect(port == DatagramHost.port)
    }

    @Test("at a host without a router and without a service are refused too", arguments: IPAddress.Family.allCases)
    func bareHost(_ family: IPAddress.Family) async throws {
        let fleet = try await DatagramFleet(family)
        let client = try fleet.a.socket(of: 1, port: 0)
        try client.connect(fleet.bareAddress)
        try client.send([1])
        #expect(throws: DatagramEnd.Failure.self) { try client.receive() }
    }

    @Test("because there is no way to the host are told of as a router does", arguments: IPAddress.Family.allCases)
    func noRoute(_ family: IPAddress.Family) async throws {
        let fleet = try await DatagramFleet(family)
        let client = try fleet.a.socket(of: 1, port: 0)
        try client.connect(IPAddress(family == .v4 ? "192.0.2.1" : "2001:db8::1")!)
        // Only who asks for errors of the way gets them: others may be temporary.
        try client.tellErrors()
        try client.send([1])
        #expect(throws: DatagramEnd.Failure.self) { try client.receive() }
        let counters = try await fleet.a.counters(DatagramHost.table(of: 0)) { $0.dropped["peer-unreachable"] == 1 }
        #expect(counters.dropped["peer-unreachable"] == 1)
    }

    @Test(
        "because they fit the path no more with their header make the sender's kernel know the path",
        arguments: [(.v4, 1300), (.v6, 1350)] as [(IPAddress.Family, Int)])
    func narrowPath(_ family: IPAddress.Family, bytesMax: Int) async throws {
        let fleet = try await DatagramFleet(family)
        try await DatagramHost.run("ip", ["link", "set", "eth0", "mtu", "\(bytesMax)"], in: fleet.a.host.namespace)
        let client = try fleet.a.socket(of: 1, port: 0)
        let server = try fleet.b.socket(of: 1)
        try client.connect(fleet.b.address)
        #expect(client.pathBytesMax == 1500 - 96)
        try client.setFragments(false)
        try client.send([UInt8](repeating: 1, count: bytesMax))
        #expect(throws: DatagramEnd.Failure.self) { try client.receive() }
        // 17 bytes, the name's 4, 6 for the ports.
        #expect(client.pathBytesMax == bytesMax - 27)
        let fitting = [UInt8](repeating: 2, count: bytesMax - 27 - (family == .v4 ? 28 : 48))
        try client.send(fitting)
        #expect(try server.receive().bytes == fitting)
        // Who does not mind fragments gets everything through.
        try client.setFragments(true)
        let long = [UInt8](repeating: 3, count: bytesMax)
        try client.send(long)
        #expect(try server.receive().bytes == long)
        let counters = try await fleet.a.counters(DatagramHost.table(of: 0)) { $0.dropped["too-long-for-path"] == 1 }
        #expect(counters.dropped["too-long-for-path"] == 1)
    }

    @Test("with IPv6 are never those that every path takes, even if it has no room for the header")
    func narrowestPath() async throws {
        let fleet = try await DatagramFleet(.v6)
        try await DatagramHost.run("ip", ["link", "set", "eth0", "mtu", "1290"], in: fleet.a.host.namespace)
        let client = try fleet.a.socket(of: 1, port: 0)
        let server = try fleet.b.socket(of: 1)
        try client.connect(fleet.b.address)
        try client.setFragments(false)
        try client.send([UInt8](repeating: 1, count: 1280 - 47))
        #expect(throws: DatagramEnd.Failure.self) { try client.receive() }
        #expect(client.pathBytesMax == 1280)
        let fitting = [[UInt8](repeating: 2, count: 1280 - 48), [3]]
        for bytes in fitting { try client.send(bytes) }
        for bytes in fitting { #expect(try server.receive().bytes == bytes) }
    }

    @Test("because no datagram is so long with a header in front are counted")
    func tooLong() async throws {
        let fleet = try await DatagramFleet()
        let client = try fleet.a.socket(of: 1, port: 0)
        try client.send([UInt8](repeating: 1, count: 65_500), to: fleet.b.address)
        let counters = try await fleet.a.counters(DatagramHost.table(of: 0)) { $0.dropped["too-long-for-path"] == 1 }
        #expect(counters.dropped["too-long-for-path"] == 1)
    }
}
