import NIOCore
import Testing
import VersionKitModel
import VersionKitRouter
import VersionKitWire

@Suite("Routers pass nothing round in circles")
struct NoCirclesTests {
    private let applications = ["chord", "names"].map { ApplicationID(rawValue: $0)! }
    private let ports: [TransportPort] = [7000, 7001, 7002]
    private let hosts = (1...3).map { IPAddress(v4: 0x0A63_0000 | $0) }
    /// The same on every host, as these addresses mean nothing outside of it.
    private let environments = (0..<4).map { IPAddress(v4: 0x0A4D_0002 + $0 * 4) }

    private func randomTable(_ random: inout some RandomNumberGenerator) -> RoutingTable {
        var free = environments.shuffled(using: &random)
        var table: [ApplicationID: RoutingTable.Application] = [:]
        for application in applications {
            var known = RoutingTable.Application()
            known.ports = Set(ports.filter { _ in Bool.random(using: &random) })
            for version in [1, 2] as [Version] where Bool.random(using: &random) {
                known.versions[version] = free.popLast().map { HostAddresses($0) }
                if Bool.random(using: &random) { known.advertised.insert(version) }
            }
            if Bool.random(using: &random) { known.plainVersion = 2 }
            table[application] = known
        }
        return RoutingTable(table)
    }

    @Test(
        "whatever the tables are and whoever is spoken to, two routers at most see a connection, and its end is a version"
    )
    func twoAtMost() {
        var random = SystemRandomNumberGenerator()
        var delivered = 0
        for _ in 0..<5000 {
            let tables = hosts.map { _ in randomTable(&random) }
            let here = tables[0]
            let wanted = Endpoint(
                address: (hosts + environments).randomElement(using: &random)!,
                port: ports.randomElement(using: &random)!.number)
            guard let source = environments.randomElement(using: &random), let sender = here.sender(at: source) else {
                continue
            }
            let decoded: VersionHeader.Decoded
            switch here.outbound(from: sender, to: wanted, isPlainPeer: Bool.random(using: &random)) {
            case .refuse: continue
            case .plain: decoded = .absent
            case .header:
                let header = here.header(of: sender.application, from: sender.version, using: &random)
                decoded = .header(header, length: header.encoded().readableBytes)
            }
            // A connection of a router has a host's address or a peer's as its source, and so is no version's: the
            // host it is for takes it in, and no router sends it on.
            guard let host = hosts.firstIndex(of: wanted.address) else {
                #expect(here.sender(at: wanted.address) == nil)
                continue
            }
            let there = tables[host]
            guard case .deliver(_, _, let end, _) = there.inbound(decoded, on: .tcp(wanted.port), over: .v4) else {
                continue
            }
            #expect(there.sender(at: end.address) != nil)
            #expect(!hosts.contains(end.address))
            delivered += 1
        }
        #expect(delivered > 100)
    }
}
