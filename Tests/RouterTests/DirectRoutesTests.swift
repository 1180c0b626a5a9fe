import Testing
import VersionKitModel
import VersionKitRouter

@Suite("Direct routes")
struct DirectRoutesTests {
    private var routes = DirectRoutes()
    private let here = IPAddress(v4: 0x0A4D_0002)
    private let peer = IPAddress(v4: 0xC0A8_0002)
    private var route: DirectRoute { DirectRoute(from: here, to: peer, port: 7000) }

    @Test("A route is learnt once, and hearing of it again only prolongs it")
    mutating func prolonged() {
        #expect(routes.heard((10_001, .seconds(60)), of: route, at: .zero) == .learn(route, to: 10_001))
        #expect(routes.heard((10_001, .seconds(60)), of: route, at: .seconds(30)) == nil)
        #expect(routes.expire(at: .seconds(89)).isEmpty)
        #expect(routes.expire(at: .seconds(90)) == [.forget(route)])
        #expect(routes.entries.isEmpty)
    }

    @Test("Of a route that is heard of all the time the kernel is told again now and then, before it forgets by itself")
    mutating func refreshed() {
        _ = routes.heard((10_001, .seconds(60)), of: route, at: .zero)
        for second in stride(from: 30, to: 600, by: 30) {
            #expect(routes.heard((10_001, .seconds(60)), of: route, at: .seconds(second)) == nil)
        }
        #expect(routes.heard((10_001, .seconds(60)), of: route, at: .seconds(600)) == .learn(route, to: 10_001))
        #expect(routes.heard((10_001, .seconds(60)), of: route, at: .seconds(601)) == nil)
    }

    @Test("A peer that moves its version to another port is followed")
    mutating func moved() {
        _ = routes.heard((10_001, .seconds(60)), of: route, at: .zero)
        #expect(routes.heard((10_002, .seconds(60)), of: route, at: .seconds(1)) == .learn(route, to: 10_002))
    }

    @Test("A header without a direct port ends the route")
    mutating func withdrawn() {
        #expect(routes.heard(nil, of: route, at: .zero) == nil)
        _ = routes.heard((10_001, .seconds(60)), of: route, at: .zero)
        #expect(routes.heard(nil, of: route, at: .seconds(1)) == .forget(route))
    }

    @Test("Routes of a version that is gone are forgotten, those of others stay")
    mutating func versions() {
        let other = DirectRoute(from: IPAddress(v4: 0x0A4D_0006), to: peer, port: 7000)
        _ = routes.heard((10_001, .seconds(60)), of: route, at: .zero)
        _ = routes.heard((10_002, .seconds(60)), of: other, at: .zero)
        #expect(routes.keep([other.version]) == [.forget(route)])
        #expect(Set(routes.entries.keys) == [other])
    }

    @Test("A peer can be forgotten as a whole")
    mutating func forgotten() {
        _ = routes.heard((10_001, .seconds(60)), of: route, at: .zero)
        #expect(routes.forget(peer: here).isEmpty)
        #expect(routes.forget(peer: peer) == [.forget(route)])
    }

    @Test("There is an end to how many are learnt, and what is beyond is counted")
    mutating func bounded() {
        for number in 0..<UInt32(DirectRoutes.routesMax) {
            let route = DirectRoute(from: here, to: IPAddress(v4: number), port: 7000)
            _ = routes.heard((10_001, .seconds(60)), of: route, at: .zero)
        }
        #expect(routes.heard((10_001, .seconds(60)), of: route, at: .zero) == nil)
        #expect(routes.entries.count == DirectRoutes.routesMax)
        #expect(routes.overflows == 1)
    }
}
