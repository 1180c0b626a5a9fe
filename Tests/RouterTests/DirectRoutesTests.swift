import Foundation
import Testing
import VersionKitModel
import VersionKitRouter

@Suite("Direct routes")
struct DirectRoutesTests {
    private var routes = DirectRoutes()
    private let here = IPAddress(v4: 0x0A4D_0002)
    private let peer = IPAddress(v4: 0xC0A8_0002)
    private var route: DirectRoute { DirectRoute(from: here, to: peer, port: 7000) }

    @Test("A peer that has not heard of the direct port here is only known by name; its route is taken when it has")
    mutating func mutual() {
        let offer = (number: UInt16(10_001), lifetime: Duration.seconds(60))
        #expect(routes.heard(offer, of: route, isMutual: false, at: .zero) == .name(route, 10_001))
        #expect(routes.heard(offer, of: route, isMutual: false, at: .seconds(1)) == nil)
        #expect(routes.heard(offer, of: route, isMutual: true, at: .seconds(2)) == .learn(route, to: 10_001))
        // What it once heard it knows.
        let moved = (number: UInt16(10_002), lifetime: Duration.seconds(60))
        #expect(routes.heard(moved, of: route, isMutual: false, at: .seconds(3)) == .learn(route, to: 10_002))
        #expect(routes.heard(nil, of: route, isMutual: false, at: .seconds(4)) == .forget(route))
    }

    @Test("Routes of a versiond that knew no names only are taken")
    mutating func older() throws {
        _ = routes.heard((10_001, .seconds(60)), of: route, at: .zero)
        let text = String(decoding: try JSONEncoder().encode(routes), as: UTF8.self)
        let older = text.replacing(#","isTaken":true"#, with: "").replacing(#""isTaken":true,"#, with: "")
        #expect(older != text)
        #expect(try JSONDecoder().decode(DirectRoutes.self, from: Data(older.utf8)) == routes)
    }

    @Test("A route is learnt once, and hearing of it again only prolongs it")
    mutating func prolonged() {
        #expect(routes.heard((10_001, .seconds(60)), of: route, at: .zero) == .learn(route, to: 10_001))
        #expect(routes.heard((10_001, .seconds(60)), of: route, at: .seconds(30)) == nil)
        #expect(routes.expire(at: .seconds(89), rest: .seconds(60)).isEmpty)
        #expect(routes.expire(at: .seconds(90), rest: .seconds(60)) == [.rest(route)])
    }

    @Test("When a route's time is over the peer's port keeps its name for the time that the peer may go on")
    mutating func rests() {
        _ = routes.heard((10_001, .seconds(60)), of: route, at: .zero)
        #expect(routes.expire(at: .seconds(60), rest: .seconds(60)) == [.rest(route)])
        #expect(routes.entries[route]?.isTaken == false)
        #expect(routes.expire(at: .seconds(119), rest: .seconds(60)).isEmpty)
        #expect(routes.expire(at: .seconds(120), rest: .seconds(60)) == [.forget(route)])
        #expect(routes.entries.isEmpty)
    }

    @Test("A route that rests is taken as soon as the peer is heard: it knows the direct port here from before")
    mutating func wakes() {
        let offer = (number: UInt16(10_001), lifetime: Duration.seconds(60))
        _ = routes.heard(offer, of: route, at: .zero)
        _ = routes.expire(at: .seconds(60), rest: .seconds(60))
        #expect(routes.heard(offer, of: route, isMutual: false, at: .seconds(61)) == .learn(route, to: 10_001))
        #expect(routes.entries[route]?.isTaken == true)
    }

    @Test("A name without a route is forgotten in time")
    mutating func namesEnd() {
        _ = routes.heard((10_001, .seconds(60)), of: route, isMutual: false, at: .zero)
        #expect(routes.expire(at: .seconds(59), rest: .seconds(60)).isEmpty)
        #expect(routes.expire(at: .seconds(60), rest: .seconds(60)) == [.forget(route)])
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
