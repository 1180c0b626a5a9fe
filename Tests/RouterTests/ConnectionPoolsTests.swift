import Testing
import VersionKitModel
import VersionKitRouter

@Suite("Pools of connections to routers")
struct ConnectionPoolsTests {
    private let peer = Endpoint("10.0.0.1:7100")!

    private func limits(perPeer: Int = 8, all: Int = 256) -> Limits {
        var limits = Limits.standard
        limits.pooledConnectionsPerPeerMax = perPeer
        limits.pooledConnectionsMax = all
        limits.pooledConnectionLifetime = .seconds(2)
        limits.pooledIdleTimeout = .seconds(10)
        return limits
    }

    /// Pools with so many connections that stand.
    private func pools(_ ids: [Int], _ limits: Limits, at time: Duration = .zero) -> ConnectionPools {
        var pools = ConnectionPools(limits: limits)
        _ = pools.heardRouter(at: peer, time: time)
        for id in ids {
            pools.opening(id, to: peer)
            #expect(pools.opened(id, to: peer, time: time) == true)
        }
        return pools
    }

    @Test("a pool begins when a router answers, not when somebody connects")
    func begins() {
        var pools = ConnectionPools(limits: limits())
        #expect(pools.take(to: peer, time: .zero) == nil)
        #expect(pools.missing(at: peer) == 0)
        #expect(pools.heardRouter(at: peer, time: .zero) == 1)
        pools.opening(5, to: peer)
        #expect(pools.missing(at: peer) == 0)
        #expect(pools.take(to: peer, time: .zero) == nil)
        #expect(pools.opened(5, to: peer, time: .zero) == true)
        #expect(pools.take(to: peer, time: .zero) == 5)
        #expect(pools.take(to: peer, time: .zero) == nil)
        #expect(pools.count == 0)
    }

    @Test("a pool that was empty when needed becomes bigger, up to its bounds")
    func grows() {
        var pools = pools([], limits(perPeer: 4))
        for wanted in [2, 4, 4] {
            _ = pools.take(to: peer, time: .zero)
            #expect(pools.missing(at: peer) == wanted)
        }
        var few = self.pools([], limits(perPeer: 4, all: 3))
        for _ in 0..<3 { _ = few.take(to: peer, time: .zero) }
        #expect(few.missing(at: peer) == 3)
    }

    @Test("connections that waited for long are replaced before the peer gives up on them")
    func renews() {
        var pools = pools([1], limits())
        #expect(pools.check(at: .seconds(1)) == ConnectionPools.Work())
        let work = pools.check(at: .seconds(2))
        #expect(work.close == [1])
        #expect(work.open == [peer: 1])
        var impatient = limits()
        impatient.headerTimeout = .seconds(1)
        var hurried = self.pools([1], impatient)
        #expect(hurried.checkInterval == .milliseconds(250))
        let hurriedWork = hurried.check(at: .milliseconds(500))
        #expect(hurriedWork.close == [1])
    }

    @Test("a pool that nobody uses is closed")
    func idle() {
        var pools = pools([1, 2], limits())
        let work = pools.check(at: .seconds(10))
        #expect(Set(work.close) == [1, 2])
        #expect(work.open.isEmpty)
        #expect(pools.checkInterval == nil)
        #expect(pools.count == 0)
    }

    @Test("one connection that the peer ends takes its whole pool with it, those under way included")
    func lost() {
        var pools = pools([1, 2], limits())
        pools.opening(3, to: peer)
        let closed = Set(pools.lost(at: peer))
        #expect(closed == [1, 2, 3])
        #expect(pools.opened(3, to: peer, time: .zero) == false)
        #expect(pools.missing(at: peer) == 0)
        #expect(!pools.isKept(for: peer))
        #expect(pools.count == 0)
    }
}
