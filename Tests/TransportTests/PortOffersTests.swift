import Testing
import VersionKitModel

@testable import VersionKitTransport

/// Goal: no route is taken to a peer that would show what comes by it as a stranger's. Method: the bookkeeping alone.
@Suite("What routers told each other of their direct ports")
struct PortOffersTests {
    private let route = DirectRoute(from: IPAddress(v4: 1), to: IPAddress(v4: 2), port: .udp(7000))

    @Test("is known to a peer that was told three times, a second after the first one")
    func known() {
        let offers = PortOffers()
        offers.offer(10_001)
        offers.hear(10_002)
        for milliseconds in [0, 10] { offers.noteSent(at: .milliseconds(milliseconds)) }
        #expect(!offers.isKnown(at: .seconds(5)))
        offers.noteSent(at: .milliseconds(20))
        #expect(!offers.isKnown(at: .milliseconds(999)))
        #expect(offers.isKnown(at: .seconds(1)))
    }

    @Test("is told anew when either of the ports is another one")
    func anew() {
        let offers = PortOffers()
        func tell(at now: Duration) { for _ in 0..<3 { offers.noteSent(at: now) } }
        offers.offer(10_001)
        offers.hear(10_002)
        tell(at: .zero)
        #expect(offers.isKnown(at: .seconds(1)))
        offers.hear(10_002)
        offers.offer(10_001)
        #expect(offers.isKnown(at: .seconds(1)))
        offers.hear(10_003)
        #expect(!offers.isKnown(at: .seconds(1)))
        tell(at: .seconds(2))
        #expect(!offers.isKnown(at: .milliseconds(2_999)))
        #expect(offers.isKnown(at: .seconds(3)))
        offers.offer(10_004)
        #expect(!offers.isKnown(at: .seconds(3)))
        offers.offer(nil)
        tell(at: .seconds(4))
        #expect(!offers.isKnown(at: .seconds(9)))
    }

    @Test("is one for all conversations of a route, and for later ones, while there is room")
    func shared() {
        var limits = Limits()
        limits.datagramSessionsMax = 2
        var all = OffersByRoute(limits: limits)
        let offers = all.of(route)
        offers.users = 1
        for peer in 10..<13 {
            _ = all.of(DirectRoute(from: route.version, to: IPAddress(v4: UInt32(peer)), port: route.port))
        }
        #expect(all.of(route) === offers)
        // The fifth takes the place of those that nobody needs any more.
        let last = all.of(DirectRoute(from: route.version, to: IPAddress(v4: 20), port: route.port))
        #expect(all.of(route) === offers)
        offers.users = 0
        last.users = 1
        for peer in 30..<33 {
            _ = all.of(DirectRoute(from: route.version, to: IPAddress(v4: UInt32(peer)), port: route.port))
        }
        #expect(all.of(route) !== offers)
    }
}
