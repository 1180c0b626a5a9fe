import Testing
import VersionKitModel
import VersionKitRouter
import VersionKitWire

@Suite("RoutingTable and PeerTable")
struct RouterTests {
    private let application = ApplicationID(rawValue: "irislog")!
    private let one = IPAddress("10.77.0.2")!
    private let two = IPAddress("10.77.0.6")!

    @Test(
        "a version that does not serve yet is reached by peers only if its release wants that, and no peer hears of it")
    func early() {
        let one = HostAddresses(IPAddress("10.77.0.10")!)
        for early in [[], [2]] as [Set<Version>] {
            let table = RoutingTable([
                application: .init(ports: [7100], versions: [1: one, 2: one], advertised: [1], early: early)
            ])
            let header = VersionHeader(application: application, sender: 2)
            let decision = table.inbound(.header(header, length: 0), on: 7100, over: .v4)
            if early.isEmpty {
                #expect(decision == .refuse(.versionNotRunning, header: header))
            } else {
                let endpoint = Endpoint(address: IPAddress("10.77.0.10")!, port: 7100)
                #expect(decision == .deliver(application, 2, to: endpoint, header: header))
            }
            var random = SystemRandomNumberGenerator()
            #expect(table.header(of: application, from: 1, using: &random).advertised == nil)
        }
    }

    private func table(advertised: Set<Version> = [1, 2], plain: Version? = nil) -> RoutingTable {
        RoutingTable([
            application: .init(
                ports: [7100], versions: [1: HostAddresses(one), 2: HostAddresses(two)], advertised: advertised,
                plainVersion: plain)
        ])
    }

    @Test("a connection from an environment is known by its address")
    func senders() {
        #expect(table().sender(at: two)?.version == 2)
        #expect(table().sender(at: IPAddress("10.77.0.1")!) == nil)
    }

    @Test("a header advertises any one of the other versions that serve, and in time each of them")
    func adverts() {
        var random = SystemRandomNumberGenerator()
        var table = RoutingTable([
            application: .init(versions: [1: HostAddresses(one), 2: HostAddresses(two)], advertised: [1, 2, 3])
        ])
        let seen = Set((0..<200).map { _ in table.header(of: application, from: 1, using: &random).advertised })
        #expect(seen == [2, 3])
        table = self.table(advertised: [1])
        #expect(table.header(of: application, from: 1, using: &random).advertised == nil)
    }

    @Test("a peer's version is delivered to the same version here, if it serves")
    func delivery() {
        let header = VersionHeader(application: application, sender: 2)
        let decoded = VersionHeader.Decoded.header(header, length: 24)
        #expect(
            table().inbound(decoded, on: 7100, over: .v4)
                == .deliver(application, 2, to: Endpoint(address: two, port: 7100), header: header))
        #expect(
            table(advertised: [1]).inbound(decoded, on: 7100, over: .v4) == .refuse(.versionNotRunning, header: header))
        #expect(table().inbound(decoded, on: 7200, over: .v4) == .refuse(.unknownApplication, header: header))
    }

    @Test("a peer without a router reaches the oldest version that serves, or the one that was configured")
    func plain() {
        #expect(
            table().inbound(.absent, on: 7100, over: .v4)
                == .deliver(application, 1, to: Endpoint(address: one, port: 7100), header: nil))
        #expect(
            table(plain: 2).inbound(.absent, on: 7100, over: .v4)
                == .deliver(application, 2, to: Endpoint(address: two, port: 7100), header: nil))
        #expect(table(advertised: []).inbound(.absent, on: 7100, over: .v4) == .refuse(.nothingRuns, header: nil))
        #expect(table().inbound(.absent, on: 1, over: .v4) == .refuse(.unknownApplication, header: nil))
    }

    @Test("a header that must not be obeyed is refused, and a control connection is told apart")
    func others() {
        #expect(
            table().inbound(.invalid(.absurdLength), on: 7100, over: .v4)
                == .refuse(.invalidHeader(.absurdLength), header: nil))
        let control = VersionHeader(application: application, sender: nil, flags: .control)
        #expect(table().inbound(.header(control, length: 24), on: 7100, over: .v4) == .control(control))
    }

    @Test("a peer's newer version is news once; peers that show none are behind")
    func peers() {
        var peers = PeerTable()
        let peer = IPAddress("10.0.0.1")!
        let old = VersionHeader(application: application, sender: 1)
        let new = VersionHeader(application: application, sender: 1, advertised: 2)
        #expect(peers.heard(old, from: peer, at: .zero) == 1)
        #expect(peers.heard(old, from: peer, at: .zero) == nil)
        #expect(peers.peers(of: application, behind: 2, leaving: 1) == [peer])
        #expect(peers.heard(new, from: peer, at: .seconds(1)) == 2)
        #expect(peers.heard(old, from: peer, at: .seconds(2)) == nil)
        #expect(peers.peers(of: application, behind: 2, leaving: 1).isEmpty)
    }

    @Test("the peer that was silent for longest makes room")
    func bounded() {
        var peers = PeerTable()
        let header = VersionHeader(application: application, sender: 1)
        for number in 0...UInt32(PeerTable.peersMax) {
            peers.heard(header, from: IPAddress(v4: number), at: .seconds(Int64(number)))
        }
        #expect(peers.peers[application]?.count == PeerTable.peersMax)
        #expect(peers.peers[application]?[IPAddress(v4: 0)] == nil)
    }
}
