import NIOCore
import Testing
import VersionKitModel
import VersionKitRouter
import VersionKitWire

@Suite("Outbound connections")
struct OutboundTests {
    private let log = ApplicationID(rawValue: "irislog")!
    private let names = ApplicationID(rawValue: "names")!
    private let peer = Endpoint("10.0.0.1:7100")!

    private func table(plain: Version? = nil, filter: PrefixFilter? = nil) -> RoutingTable {
        RoutingTable([
            log: .init(
                ports: [7100],
                versions: [1: HostAddresses(IPAddress("10.77.0.2")!), 2: HostAddresses(IPAddress("10.77.0.6")!)],
                advertised: [1, 2], plainVersion: plain, filter: filter),
            names: .init(ports: [7200], versions: [1: HostAddresses(IPAddress("10.77.0.10")!)], advertised: [1]),
        ])
    }

    private func decide(_ table: RoutingTable, _ version: Version, _ wanted: Endpoint, isPlain: Bool = false)
        -> Outbound
    {
        table.outbound(from: (log, version), to: wanted, isPlainPeer: isPlain)
    }

    @Test("a version speaks to peers with a header, and plainly to one without a router if it is the version for that")
    func peers() {
        #expect(decide(table(), 2, peer) == .header)
        #expect(decide(table(), 1, peer, isPlain: true) == .plain)
        #expect(decide(table(), 2, peer, isPlain: true) == .refuse(.plainPeer))
        #expect(decide(table(plain: 2), 2, peer, isPlain: true) == .plain)
        #expect(decide(table(plain: 2), 1, peer, isPlain: true) == .refuse(.plainPeer))
    }

    @Test("to another application's port a version is a client like any other")
    func otherApplication() {
        #expect(decide(table(), 2, Endpoint("10.0.0.1:7200")!) == .plain)
    }

    @Test("an environment is never a destination, nor is a port that nobody registered: so nothing goes in circles")
    func circles() {
        #expect(decide(table(), 1, Endpoint("10.77.0.6:7100")!) == .refuse(.toEnvironment))
        #expect(decide(table(), 1, Endpoint("10.0.0.1:15001")!) == .refuse(.unregisteredPort))
    }

    @Test("an application that names its versions itself gets no headers, whichever version speaks")
    func filtered() {
        let table = table(filter: PrefixFilter([]))
        #expect(decide(table, 2, peer) == .plain)
        #expect(decide(table, 2, peer, isPlain: true) == .plain)
    }

    @Test("an answer that is no header is a plain peer's for certain; one who only leaves is taken for plain this time")
    func verdicts() {
        let header = VersionHeader(application: log, sender: 1)
        #expect(ProbeVerdict(.header(header, length: 24), bytes: 30, isLast: false) == .router(header, length: 24))
        #expect(ProbeVerdict(.absent, bytes: 5, isLast: false) == .plain(isCertain: true))
        #expect(ProbeVerdict(.absent, bytes: 0, isLast: true) == .plain(isCertain: false))
        #expect(ProbeVerdict(.needMore, bytes: 2, isLast: false) == .wait)
        #expect(ProbeVerdict(.invalid(.truncated), bytes: 9, isLast: true) == .invalid(.truncated))
    }

    @Test("what is known of plain peers is forgotten in time, when a router is heard there, and when it is too much")
    func plainPeers() {
        var limits = Limits.standard
        limits.plainPeersMax = 2
        limits.plainPeerLifetime = .seconds(30)
        var peers = PlainPeers(limits: limits)
        peers.found(peer, at: .zero)
        #expect(peers.contains(peer, at: .seconds(29)) == true)
        #expect(peers.contains(peer, at: .seconds(30)) == false)
        peers.found(peer, at: .seconds(40))
        peers.found(Endpoint("10.0.0.2:7100")!, at: .seconds(41))
        peers.found(Endpoint("10.0.0.3:7100")!, at: .seconds(42))
        #expect(peers.count == 2)
        #expect(peers.contains(peer, at: .seconds(43)) == false)
        peers.heardRouter(at: IPAddress("10.0.0.2")!)
        #expect(peers.contains(Endpoint("10.0.0.2:7100")!, at: .seconds(43)) == false)
        #expect(peers.contains(Endpoint("10.0.0.3:7100")!, at: .seconds(43)) == true)
    }

    @Test("what is left to another relay is believed as long as it would have been, and no more of it than is allowed")
    func plainPeersGoOn() {
        var limits = Limits.standard
        limits.plainPeersMax = 1
        limits.plainPeerLifetime = .seconds(30)
        var peers = PlainPeers(limits: limits)
        peers.found(peer, at: .zero)
        #expect(peers.remaining(at: .seconds(30)).isEmpty)
        let remaining = peers.remaining(at: .seconds(20))
        #expect(remaining == [peer: .seconds(10)])
        // Another process, another clock.
        var next = PlainPeers(limits: limits)
        next.adopt(remaining, at: .seconds(500))
        next.adopt([Endpoint("10.0.0.2:7100")!: .seconds(10)], at: .seconds(500))
        #expect(next.count == 1)
        #expect(next.contains(peer, at: .seconds(509)) == true)
        #expect(next.contains(peer, at: .seconds(510)) == false)
    }
}
