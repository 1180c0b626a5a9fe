import Testing
import VersionKitModel
import VersionKitRouter

@Suite("Explaining which way a flow takes")
struct FlowPathTests {
    private let application = ApplicationID(rawValue: "cfs")!
    private let here = IPAddress(v4: 0x0A4D_0002)

    private func path(
        from version: Version = 1, port: TransportPort = 7000, serving: Set<Version> = [1],
        to peer: IPAddress = IPAddress(v4: 0xC0A8_0002), learnt: Bool = true, missing: String? = nil,
        now: Duration = .seconds(10)
    ) -> FlowPath {
        var routes = DirectRoutes()
        if learnt {
            _ = routes.heard((10_001, .seconds(60)), of: DirectRoute(from: here, to: peer, port: 7000), at: .zero)
        }
        let table = RoutingTable([
            application: .init(ports: [7000], versions: [1: HostAddresses(here)], advertised: serving)
        ])
        return FlowPath(
            from: version, of: application, to: peer, port: port, table: table, routes: routes,
            missingFastPath: missing, now: now)
    }

    @Test("What was learnt goes by the kernel, for the rest of its lifetime")
    func kernel() {
        #expect(path() == .kernel(directPort: 10_001, remaining: .seconds(50)))
        #expect(path(now: .seconds(60)) == .relay(.notLearnt))
    }

    @Test("The slow path has a reason, the most fundamental one first")
    func relay() {
        #expect(path(learnt: false) == .relay(.notLearnt))
        #expect(path(serving: []) == .relay(.notServing))
        #expect(path(serving: [], missing: "no right to") == .relay(.noFastPath("no right to")))
    }

    @Test("Other ports are not the router's business, and other versions are not here")
    func others() {
        #expect(path(port: .udp(7000)) == .unmanaged)
        #expect(path(from: 2) == .notRunning)
    }

    @Test("A peer is reached by addresses of its own kind only, and never by one that means another host on each link")
    func families() throws {
        #expect(path(to: try #require(IPAddress("2001:db8::2"))) == .noAddress(.v6))
        #expect(path(to: try #require(IPAddress("fe80::2"))) == .unmanaged)
    }
}
