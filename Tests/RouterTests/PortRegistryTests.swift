import Testing
import VersionKitModel
import VersionKitRouter

@Suite("PortRegistry")
struct PortRegistryTests {
    private let tree = PortRegistry.Holder(ApplicationID(rawValue: "irislog")!, 1)
    private let newTree = PortRegistry.Holder(ApplicationID(rawValue: "irislog")!, 2)
    private let store = PortRegistry.Holder(ApplicationID(rawValue: "store")!, 1)
    private let gossip = ProtocolName(rawValue: "gossip")!
    private let listed: [TransportPort] = [7000, 7001, .udp(7000)]

    /// A registry in which both versions of one application hold a port.
    private func shared() throws -> PortRegistry {
        var registry = PortRegistry()
        for holder in [tree, newTree] {
            try registry.register([7000], as: nil, for: holder, listed: listed, lease: nil, at: .zero)
        }
        return registry
    }

    @Test("an application has several ports of several protocols, and they are found by name and transport")
    func several() throws {
        var registry = PortRegistry()
        try registry.register([7000], as: nil, for: tree, listed: listed, lease: nil, at: .zero)
        try registry.register([.udp(7000), 7001], as: gossip, for: tree, listed: listed, lease: nil, at: .zero)
        try registry.register([9000], as: gossip, for: store, listed: [9000], lease: nil, at: .zero)
        #expect(registry.ports(of: tree.application) == [7000, .udp(7000), 7001])
        #expect(registry.entries.map(\.port) == [7000, .udp(7000), 7001, 9000])
        #expect(
            registry.entries(of: tree.application, named: gossip, over: .udp).map(\.port) == [.udp(7000)])
        #expect(registry.entries(of: nil, named: gossip, over: nil).map(\.port) == [.udp(7000), 7001, 9000])
        #expect(registry.entries(of: store.application, named: nil, over: .udp).isEmpty)
    }

    @Test("a port that another application has is refused with its name, and nothing of the request is done")
    func taken() throws {
        var registry = PortRegistry()
        try registry.register([7000], as: nil, for: tree, listed: listed, lease: nil, at: .zero)
        #expect(throws: PortRegistry.Refusal.taken(7000, by: tree.application)) {
            try registry.register([7001, 7000], as: nil, for: store, listed: listed, lease: nil, at: .zero)
        }
        #expect(registry.ports(of: store.application).isEmpty)
        #expect(PortRegistry.Refusal.taken(7000, by: tree.application).description == "port 7000 belongs to irislog")
        // The same number of the other transport is another port.
        try registry.register([.udp(7000)], as: nil, for: store, listed: listed, lease: nil, at: .zero)
    }

    @Test("a version registers only what its release lists")
    func listedOnly() {
        var registry = PortRegistry()
        #expect(throws: PortRegistry.Refusal.notListed(.udp(7001), 1)) {
            try registry.register([.udp(7001)], as: nil, for: tree, listed: listed, lease: nil, at: .zero)
        }
    }

    @Test("a port that versions share is free when the last of them gives it back")
    func sharing() throws {
        var registry = try shared()
        try registry.unregister([7000], by: tree, at: .zero)
        #expect(registry.ports(of: tree.application) == [7000])
        #expect(throws: PortRegistry.Refusal.taken(7000, by: tree.application)) {
            try registry.register([7000], as: nil, for: store, listed: listed, lease: nil, at: .zero)
        }
        try registry.unregister([7000], by: newTree, at: .zero)
        #expect(registry == PortRegistry())
        try registry.register([7000], as: nil, for: store, listed: listed, lease: nil, at: .zero)
    }

    @Test("what ended with its environment holds nothing, the other version goes on")
    func environments() throws {
        var registry = try shared()
        #expect(registry.end(tree) == true)
        #expect(registry.end(tree) == false)
        #expect(registry.entries.map(\.holder) == [newTree])
    }

    @Test("a lease ends at its time, and one without lease does not")
    func leases() throws {
        var registry = PortRegistry()
        try registry.register([7000], as: nil, for: tree, listed: listed, lease: nil, at: .zero)
        try registry.register([7001], as: nil, for: tree, listed: listed, lease: 10, at: .seconds(5))
        #expect(registry.nextEnd == .seconds(15))
        #expect(registry.expire(at: .seconds(14)).isEmpty)
        #expect(registry.expire(at: .seconds(15)).map(\.port) == [7001])
        #expect(registry.nextEnd == nil)
        #expect(registry.ports(of: tree.application) == [7000])
    }

    @Test("a lease that is renewed in time goes on; one that ended has to be registered again")
    func renewal() throws {
        var registry = PortRegistry()
        try registry.register([7000], as: gossip, for: tree, listed: listed, lease: 10, at: .zero)
        try registry.renew([7000], by: tree, lease: 20, at: .seconds(9))
        #expect(registry.nextEnd == .seconds(29))
        #expect(registry.entries.first?.name == gossip)
        #expect(throws: PortRegistry.Refusal.notHeld(7000)) {
            try registry.renew([7000], by: tree, lease: 10, at: .seconds(29))
        }
        #expect(throws: PortRegistry.Refusal.notHeld(7000)) {
            try registry.renew([7000], by: newTree, lease: 10, at: .seconds(29))
        }
    }

    @Test("a lease that ran out does not keep the port from another application, even if nobody looked")
    func lateLook() throws {
        var registry = PortRegistry()
        try registry.register([7000], as: nil, for: tree, listed: listed, lease: 1, at: .zero)
        try registry.register([7000], as: nil, for: store, listed: listed, lease: nil, at: .seconds(1))
        #expect(registry.entries.map(\.holder) == [store])
    }

    @Test("the latest registration of a version counts, its lease and name included")
    func again() throws {
        var registry = PortRegistry()
        try registry.register([7000], as: nil, for: tree, listed: listed, lease: nil, at: .zero)
        try registry.register([7000], as: gossip, for: tree, listed: listed, lease: 5, at: .zero)
        #expect(registry.entries.count == 1)
        #expect(registry.entries.first?.name == gossip)
        #expect(registry.entries.first?.end == .seconds(5))
    }

    @Test("a version gives back what it holds and nothing else, all or none")
    func notHeld() throws {
        var registry = try shared()
        #expect(throws: PortRegistry.Refusal.notHeld(7001)) {
            try registry.unregister([7000, 7001], by: tree, at: .zero)
        }
        #expect(throws: PortRegistry.Refusal.notHeld(7000)) {
            try registry.unregister([7000], by: store, at: .zero)
        }
        #expect(registry.entries.count == 2)
    }

    @Test("a request without ports, with too many, or with an odd lease is refused")
    func limits() {
        var registry = PortRegistry()
        let many = (1...UInt16(PortRegistry.requestPortsMax + 1)).map { TransportPort.tcp($0) }
        #expect(throws: PortRegistry.Refusal.tooMany(many.count)) {
            try registry.register(many, as: nil, for: tree, listed: many, lease: nil, at: .zero)
        }
        #expect(throws: PortRegistry.Refusal.nothing) { try registry.unregister([], by: tree, at: .zero) }
        for lease: UInt32 in [0, 86_401] {
            #expect(throws: PortRegistry.Refusal.badLease(lease)) {
                try registry.register([7000], as: nil, for: tree, listed: listed, lease: lease, at: .zero)
            }
        }
        #expect(registry == PortRegistry())
    }
}
