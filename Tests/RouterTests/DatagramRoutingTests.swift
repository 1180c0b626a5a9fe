import Testing
import VersionKitModel
import VersionKitRouter
import VersionKitWire

@Suite("What the routing table says of datagrams")
struct DatagramRoutingTests {
    private let application = ApplicationID(rawValue: "ring")!
    private let peer = IPAddress("10.0.0.9")!

    private func table(_ change: (inout RoutingTable.Application) -> Void = { _ in }) -> RoutingTable {
        var known = RoutingTable.Application(
            ports: [.udp(7000)],
            versions: [1: HostAddresses(IPAddress("10.77.0.2")!), 2: HostAddresses(IPAddress("10.77.0.6")!)],
            advertised: [1, 2])
        change(&known)
        return RoutingTable([application: known])
    }

    @Test("They go with a header, unless the peer has no router or the versions know their own kind")
    func headers() {
        let peer = self.peer
        #expect(table().outbound(from: application, to: peer, on: .udp(7000)) == .withHeader)
        #expect(table { $0.plainPeers = [peer] }.outbound(from: application, to: peer, on: .udp(7000)) == .plain)
        #expect(table { $0.filter = PrefixFilter([]) }.outbound(from: application, to: peer, on: .udp(7000)) == .plain)
    }

    @Test("They go neither by a port of TCP, nor to many, nor to nobody, nor from one environment to another")
    func refusals() {
        let table = table()
        #expect(table.outbound(from: application, to: peer, on: .tcp(7000)) == .refuse(.unknownPort))
        for many in ["224.0.0.1", "255.255.255.255", "0.0.0.0"] {
            let address = IPAddress(many)!
            #expect(table.outbound(from: application, to: address, on: .udp(7000)) == .refuse(.notUnicast))
        }
        let other = IPAddress("10.77.0.6")!
        #expect(table.outbound(from: application, to: other, on: .udp(7000)) == .refuse(.otherVersion))
    }

    @Test("All versions that serve get them where versions know their own kind, and else none gets all")
    func recipients() {
        #expect(table().recipients(on: .udp(7000)).isEmpty)
        let filter = table { $0.filter = PrefixFilter([]) }
        #expect(filter.recipients(on: .udp(7000)).map(\.version) == [1, 2])
        #expect(filter.recipients(on: .tcp(7000)).isEmpty)
    }

    @Test("A header names the direct port of its version and registered port, and no other")
    func directPort() {
        var random = SystemRandomNumberGenerator()
        let table = table { $0.directPorts = [2: [.udp(7000): .init(10_002, seconds: 60)]] }
        func named(_ version: Version, _ port: TransportPort?) -> VersionHeader.DirectPort? {
            table.header(of: application, from: version, on: port, using: &random).directPort
        }
        #expect(named(2, .udp(7000)) == .init(10_002, seconds: 60))
        #expect(named(2, .tcp(7000)) == nil)
        #expect(named(2, nil) == nil)
        #expect(named(1, .udp(7000)) == nil)
    }
}
