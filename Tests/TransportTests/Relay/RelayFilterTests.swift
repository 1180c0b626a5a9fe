import Testing
import VersionKitModel
import VersionKitRouter
import VersionKitTestbed
import VersionKitTransport

@Suite("Applications that name their versions themselves", .serialized)
struct RelayFilterTests {
    private let filter = PrefixFilter([.init(Array("V1".utf8), 1), .init(Array("V2".utf8), 2)])

    @Test(
        "a connection without a header goes to the version that its first bytes name, whole, from the peer's address",
        arguments: IPAddress.Family.allCases)
    func inbound(_ family: IPAddress.Family) throws {
        let fleet = try RelayFleet(nodes: 1, bareHosts: 1, filter: filter, family: family)
        let here = fleet.nodes[0]
        let host = fleet.bareHost()
        for version in [1, 2] as [Version] {
            let server = try TestStream.listen(family, in: try #require(here.environments[version]))
            let client = try TestStream.connect(to: here.address, in: host.namespace)
            client.send("V")
            client.send("\(version) hello")
            let accepted = try server.accept()
            #expect(accepted.text(8) == "V\(version) hello")
            #expect(accepted.peer == fleet.bareAddress())
        }
        let stranger = try TestStream.connect(to: here.address, in: host.namespace)
        stranger.send("V3 hello")
        #expect(stranger.end() == .reset)
        #expect(here.relay.counters.refused["no-version-found"] == 1)
    }

    @Test("such versions send no headers to each other, and still find their own", arguments: IPAddress.Family.allCases)
    func outbound(_ family: IPAddress.Family) throws {
        let fleet = try RelayFleet(filter: filter, family: family)
        let (here, there) = (fleet.nodes[0], fleet.nodes[1])
        for version in [1, 2] as [Version] {
            let server = try TestStream.listen(family, in: try #require(there.environments[version]))
            try TestStream.exchange(
                "V\(version) hello", to: there.address, in: try #require(here.environments[version]), with: server)
        }
        #expect(there.heard.all.isEmpty)
        #expect(there.relay.counters.plain == 2)
    }
}
