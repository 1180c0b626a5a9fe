import Foundation
import Testing
import VersionKitModel

@testable import VersionKitKernel

@Suite("The fast path's table, as a model")
struct NFTablesModelTests {
    let here = IPAddress("10.0.0.1")!
    let peer = IPAddress("10.0.0.2")!
    let version = IPAddress("10.77.0.2")!

    let now = ContinuousClock.now

    private func model() -> NFTablesModel { NFTablesModel(address: here, lifetime: .seconds(60)) }

    @Test("a direct port leads in, and out of it")
    func open() throws {
        var model = model()
        let change = try model.open(DirectPort(10_001, for: .udp(7000), of: version))
        #expect(
            change.script == """
                add element ip versionkit_direct inward { udp . 10001 : 10.77.0.2 . 7000 }
                add element ip versionkit_direct outward { 10.77.0.2 . udp . 7000 : 10.0.0.1 . 10001 }

                """)
        #expect(change.ended.isEmpty)
    }

    @Test("a closed direct port is gone, and all that was tracked to its version")
    func close() throws {
        var model = model()
        let port = DirectPort(10_001, for: 7000, of: version)
        _ = try model.open(port)
        let change = model.close(port)
        #expect(
            change.script == """
                delete element ip versionkit_direct inward { tcp . 10001 }
                delete element ip versionkit_direct outward { 10.77.0.2 . tcp . 7000 }

                """)
        #expect(
            change.ended == [FlowPattern(transport: .tcp, answerer: Endpoint(address: version, port: 7000))])
        #expect(model.close(port) == NFTablesModel.Change())
    }

    @Test("two versions cannot have one direct port, nor one version two for the same port")
    func openTwice() throws {
        var model = model()
        let other = IPAddress("10.77.0.6")!
        _ = try model.open(DirectPort(10_001, for: 7000, of: version))
        #expect(throws: KernelPathError.self) {
            try model.open(DirectPort(10_001, for: 7000, of: other))
        }
        #expect(throws: KernelPathError.self) {
            try model.open(DirectPort(10_002, for: 7000, of: version))
        }
        // TCP and UDP have ports of their own.
        _ = try model.open(DirectPort(10_001, for: .udp(7000), of: other))
        #expect(model.ports.count == 2)
    }

    @Test("a route comes with its key and the peer's name, in one transaction")
    func learn() throws {
        var model = model()
        let change = try model.learn(DirectRoute(from: version, to: peer, port: 7000), to: 10_002, now: now)
        #expect(
            change.preparation + change.script == """
                add element ip versionkit_direct names { 10.77.0.2 . 10.0.0.2 . tcp . 10002 timeout 120s : 10.0.0.2 . 7000 }
                add element ip versionkit_direct fast { 10.77.0.2 . 10.0.0.2 . tcp . 7000 timeout 60s : 10.0.0.2 . 10002 }
                add element ip versionkit_direct keys { 10.77.0.2 . 10.0.0.2 . tcp . 7000 timeout 60s }

                """)
        #expect(change.ended.isEmpty)
    }

    @Test("a replaced route ends the flows of datagrams that it translated")
    func replace() throws {
        var model = model()
        let route = DirectRoute(from: version, to: peer, port: .udp(7000))
        _ = try model.learn(route, to: 10_002, now: now)
        let change = try model.learn(route, to: 10_003, now: now)
        #expect(change.script.hasPrefix("add element ip versionkit_direct fast"))
        #expect(
            change.script.contains("delete element ip versionkit_direct fast { 10.77.0.2 . 10.0.0.2 . udp . 7000 }"))
        #expect(
            change.ended == [
                FlowPattern(transport: .udp, sender: version, destination: Endpoint(address: peer, port: 7000))
            ])
        #expect(model.routes.mapValues(\.port) == [route: 10_003])
    }

    @Test("a peer that was known by its direct port begins anew when its name is learnt")
    func nameLate() throws {
        var model = model()
        _ = try model.open(DirectPort(10_001, for: .udp(7000), of: version))
        let change = try model.learn(DirectRoute(from: version, to: peer, port: .udp(7000)), to: 10_002, now: now)
        #expect(
            change.superseded == [
                FlowPattern(
                    transport: .udp, source: Endpoint(address: peer, port: 10_002),
                    destination: Endpoint(address: here, port: 10_001),
                    answered: Endpoint(address: peer, port: 10_002))
            ])
    }

    @Test("a direct port of a peer that stands for another port now has another name")
    func rename() throws {
        var model = model()
        _ = try model.learn(DirectRoute(from: version, to: peer, port: 7000), to: 10_002, now: now)
        let change = try model.learn(DirectRoute(from: version, to: peer, port: 7001), to: 10_002, now: now)
        #expect(
            change.preparation.contains(
                "delete element ip versionkit_direct names { 10.77.0.2 . 10.0.0.2 . tcp . 10002 }"))
        #expect(change.preparation.hasSuffix("timeout 120s : 10.0.0.2 . 7001 }\n"))
    }

    @Test("the name of a peer outlives the route to it")
    func forget() throws {
        var model = model()
        let route = DirectRoute(from: version, to: peer, port: 7000)
        _ = try model.learn(route, to: 10_002, now: now)
        let change = model.forget(route)
        // Added before it is deleted: it may have ended in the kernel by itself.
        #expect(
            change.script.split(separator: "\n").map { $0.split(separator: " ")[0] } == [
                "add", "add", "delete", "delete",
            ])
        #expect(!change.script.contains("names"))
        #expect(model.forget(route) == NFTablesModel.Change())
    }

    @Test("what a version sends to its own host is not for the kernel alone")
    func toItself() throws {
        var model = model()
        #expect(
            try model.learn(DirectRoute(from: version, to: here, port: 7000), to: 10_001, now: now)
                == NFTablesModel.Change())
        #expect(model.routes.isEmpty)
    }

    @Test("another one goes on with what is known, and fills a new table with what has not ended")
    func handOver() throws {
        var old = model()
        let port = DirectPort(10_001, for: .udp(7000), of: version)
        let route = DirectRoute(from: version, to: peer, port: .udp(7000))
        _ = try old.open(port)
        _ = try old.learn(route, to: 10_002, now: now)
        let state = try JSONDecoder().decode(
            NFTablesModel.Handover.self, from: JSONEncoder().encode(old.handOver(now: now + .seconds(50))))
        // The clock of the next one is another.
        let then = now + .seconds(1000)
        var new = NFTablesModel(address: here, lifetime: .seconds(60), resuming: state, now: then)
        #expect(
            new.refill(now: then + .seconds(4)) == """
                add element ip versionkit_direct fast { 10.77.0.2 . 10.0.0.2 . udp . 7000 timeout 6s : 10.0.0.2 . 10002 }
                add element ip versionkit_direct inward { udp . 10001 : 10.77.0.2 . 7000 }
                add element ip versionkit_direct keys { 10.77.0.2 . 10.0.0.2 . udp . 7000 timeout 6s }
                add element ip versionkit_direct names { 10.77.0.2 . 10.0.0.2 . udp . 10002 timeout 66s : 10.0.0.2 . 7000 }
                add element ip versionkit_direct outward { 10.77.0.2 . udp . 7000 : 10.0.0.1 . 10001 }

                """)
        #expect(!new.refill(now: then + .seconds(10)).contains("fast"))
        #expect(new.handOver(now: then) == state)
        #expect(new.forget(route) == old.forget(route))
        #expect(new.close(port) == old.close(port))
    }

    @Test("routes are bounded")
    func bounded() throws {
        var model = model()
        for number in 0..<NFTablesRuleset.routesMax {
            let peer = IPAddress(v4: 0x0B00_0000 + UInt32(number))
            _ = try model.learn(DirectRoute(from: version, to: peer, port: 7000), to: 10_002, now: now)
        }
        #expect(throws: KernelPathError.self) {
            try model.learn(DirectRoute(from: version, to: peer, port: 7000), to: 10_002, now: now)
        }
        #expect(model.routes.count == NFTablesRuleset.routesMax)
    }
}
