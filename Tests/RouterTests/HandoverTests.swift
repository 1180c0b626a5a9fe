import Foundation
import Testing
import VersionKitModel
import VersionKitRouter

/// What one router hands to the next that goes on in its place.
@Suite("Handing over")
struct HandoverTests {
    private let application = ApplicationID(rawValue: "irislog")!
    private let peer = IPAddress(v4: 7)

    private func decoded<Value: Codable>(_ value: Value) throws -> Value {
        try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value))
    }

    @Test("registered ports keep their owners, names and leases")
    func ports() throws {
        var registry = PortRegistry()
        let holder = PortRegistry.Holder(application, 2)
        try registry.register(
            [7000, .udp(7000)], as: nil, for: holder, listed: [7000, .udp(7000)], lease: 30, at: .zero)
        try registry.renew([7000], by: holder, lease: 60, at: .milliseconds(1))
        var next = try decoded(registry)
        #expect(next == registry)
        #expect(next.expire(at: .seconds(30)).map(\.port) == [.udp(7000)])
    }

    @Test("peers keep what they said and when")
    func peers() throws {
        var table = PeerTable()
        table.stated([1, 2], of: application, by: peer, stamp: 5, at: .seconds(3))
        #expect(try decoded(table) == table)
    }

    @Test("what was being told is told again, what waited still waits, who was forgotten stays so")
    func announcements() throws {
        var announcements = Announcements()
        announcements.announce(application, to: [peer, IPAddress(v4: 8), IPAddress(v4: 9)], at: .zero)
        let target = Announcements.Target(application, peer)
        let forgotten = Announcements.Target(application, IPAddress(v4: 8))
        let failed = Announcements.Target(application, IPAddress(v4: 9))
        for target in [target, forgotten, failed] { #expect(announcements.next(at: .zero) == .send(target)) }
        announcements.forget(forgotten)
        #expect(announcements.failed(failed, at: .zero) == false)
        var next = try decoded(announcements)
        #expect(next == announcements)
        next.resume(at: .zero)
        #expect(next.waiting == 2)
        #expect(next.next(at: .zero) == .send(target))
        guard case .wait = next.next(at: .zero) else {
            Issue.record("whoever could not be told is not left alone")
            return
        }
    }

    @Test("routes keep the times at which they are forgotten")
    func routes() throws {
        var routes = DirectRoutes()
        let route = DirectRoute(from: IPAddress(v4: 1), to: peer, port: 7000)
        _ = routes.heard((10_001, .seconds(60)), of: route, at: .seconds(1))
        var next = try decoded(routes)
        #expect(next == routes)
        #expect(next.expire(at: .seconds(60), rest: .seconds(60)).isEmpty)
        #expect(next.expire(at: .seconds(61), rest: .seconds(60)) == [.rest(route)])
    }
}
