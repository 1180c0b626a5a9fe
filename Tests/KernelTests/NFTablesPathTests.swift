import CLinux
import Glibc
import Testing
import VersionKitKernel
import VersionKitModel

/// The fast path between two nodes with the real kernel. Where a test needs no relay there is none: what went the slow
/// way could not arrive.
@Suite("The fast path by nftables")
struct NFTablesPathTests {
    @Test(
        "a connection ends at the peer's version, and comes from the peer's own address",
        arguments: IPAddress.Family.allCases)
    func tcp(_ family: IPAddress.Family) async throws {
        let hosts = try NFTablesHosts(family)
        let version = NFTablesHosts.version(family)
        let (before, _) = (try await hosts.a.intercept([7000]), try await hosts.b.intercept([7000]))
        defer { withExtendedLifetime(before) {} }
        let (a, b) = (try hosts.a.path(), try hosts.b.path())
        try b.open(DirectPort(10_002, for: 7000, of: version), interface: "vk0")
        try a.learn(DirectRoute(from: version, to: hosts.b.address, port: 7000), to: 10_002)

        let listener = try NFTablesSocket(hosts.b.environment, SOCK_STREAM, family).bind(7000).listen()
        let client = try NFTablesSocket(hosts.a.environment, SOCK_STREAM, family).connect(hosts.b.address, 7000)
        let server = try listener.accept()
        #expect(try server.remote.address == hosts.a.address)
        #expect(try server.local == Endpoint(address: version, port: 7000))
        #expect(try client.remote == Endpoint(address: hosts.b.address, port: 7000))
        try client.send("hello")
        #expect(try server.receive() == "hello")

        // A connection stays on its path, whatever is forgotten.
        try a.forget(DirectRoute(from: version, to: hosts.b.address, port: 7000))
        try server.send("still here")
        #expect(try client.receive() == "still here")
        try client.send("and here")
        #expect(try server.receive() == "and here")
        #expect(throws: KernelPathError.self) {
            _ = try NFTablesSocket(hosts.a.environment, SOCK_STREAM, family).connect(hosts.b.address, 7000)
        }
    }

    @Test(
        "a version that sends from its registered port is known by it at the peer", arguments: IPAddress.Family.allCases
    )
    func fromRegisteredPort(_ family: IPAddress.Family) async throws {
        let hosts = try NFTablesHosts(family)
        let version = NFTablesHosts.version(family)
        _ = (try await hosts.a.intercept([.udp(7000)]), try await hosts.b.intercept([.udp(7000)]))
        let (a, b) = (try hosts.a.path(), try hosts.b.path())
        try a.open(DirectPort(10_001, for: .udp(7000), of: version), interface: "vk0")
        try b.open(DirectPort(10_002, for: .udp(7000), of: version), interface: "vk0")
        try a.learn(DirectRoute(from: version, to: hosts.b.address, port: .udp(7000)), to: 10_002)
        let (first, second) = (
            try NFTablesSocket(hosts.a.environment, SOCK_DGRAM, family).bind(7000),
            try NFTablesSocket(hosts.b.environment, SOCK_DGRAM, family).bind(7000)
        )
        let there = Endpoint(address: hosts.b.address, port: 7000)
        // Nobody has told b whose direct port 10001 is, so that is what its version sees. It can answer all the same.
        try first.send("1", to: there)
        let unnamed = try second.receiveFrom()
        #expect(unnamed.text == "1")
        #expect(unnamed.source == Endpoint(address: hosts.a.address, port: 10_001))
        try second.send("2", to: unnamed.source)
        #expect(try first.receiveFrom().source == there)
        // From then on it has its name, also for the flow that was there before.
        try b.learn(DirectRoute(from: version, to: hosts.a.address, port: .udp(7000)), to: 10_001)
        try first.send("3", to: there)
        let named = try second.receiveFrom()
        #expect(named.text == "3")
        #expect(named.source == Endpoint(address: hosts.a.address, port: 7000))
        try second.send("4", to: named.source)
        #expect(try first.receiveFrom().source == there)
    }

    @Test(
        "datagrams from any port are answered, and the answers come from where they were sent to",
        arguments: IPAddress.Family.allCases)
    func fromAnyPort(_ family: IPAddress.Family) async throws {
        let hosts = try NFTablesHosts(family)
        let version = NFTablesHosts.version(family)
        _ = (try await hosts.a.intercept([.udp(7000)]), try await hosts.b.intercept([.udp(7000)]))
        let (a, b) = (try hosts.a.path(), try hosts.b.path())
        try b.open(DirectPort(10_002, for: .udp(7000), of: version), interface: "vk0")
        try a.learn(DirectRoute(from: version, to: hosts.b.address, port: .udp(7000)), to: 10_002)
        let client = try NFTablesSocket(hosts.a.environment, SOCK_DGRAM, family)
        let server = try NFTablesSocket(hosts.b.environment, SOCK_DGRAM, family).bind(7000)
        try client.send("ask", to: Endpoint(address: hosts.b.address, port: 7000))
        let (_, source) = try server.receiveFrom()
        #expect(source == Endpoint(address: hosts.a.address, port: try client.local.port))
        try server.send("answer", to: source)
        #expect(try client.receiveFrom().source == Endpoint(address: hosts.b.address, port: 7000))
    }

    @Test("a route that is replaced leads elsewhere from the next datagram on", arguments: IPAddress.Family.allCases)
    func replaced(_ family: IPAddress.Family) async throws {
        let hosts = try NFTablesHosts(family)
        let version = NFTablesHosts.version(family)
        _ = (try await hosts.a.intercept([.udp(7000)]), try await hosts.b.intercept([.udp(7000), .udp(7001)]))
        let (a, b) = (try hosts.a.path(), try hosts.b.path())
        try b.open(DirectPort(10_002, for: .udp(7000), of: version), interface: "vk0")
        try b.open(DirectPort(10_003, for: .udp(7001), of: version), interface: "vk0")
        let route = DirectRoute(from: version, to: hosts.b.address, port: .udp(7000))
        let client = try NFTablesSocket(hosts.a.environment, SOCK_DGRAM, family)
        let first = try NFTablesSocket(hosts.b.environment, SOCK_DGRAM, family).bind(7000)
        let second = try NFTablesSocket(hosts.b.environment, SOCK_DGRAM, family).bind(7001)
        for (port, server) in [(10_002, first), (10_003, second), (10_003, second), (10_002, first)] {
            try a.learn(route, to: UInt16(port))
            try client.send("\(port)", to: Endpoint(address: hosts.b.address, port: 7000))
            #expect(try server.receive() == "\(port)")
        }
    }

    @Test("a closed direct port ends the flows of its version, and of no other", arguments: IPAddress.Family.allCases)
    func closed(_ family: IPAddress.Family) async throws {
        let hosts = try NFTablesHosts(family)
        let version = NFTablesHosts.version(family)
        _ = (try await hosts.a.intercept([7000, 7001]), try await hosts.b.intercept([7000, 7001]))
        let (a, b) = (try hosts.a.path(), try hosts.b.path())
        var pairs: [(client: NFTablesSocket, server: NFTablesSocket)] = []
        for (index, port) in [UInt16(7000), 7001].enumerated() {
            let direct = UInt16(10_002 + index)
            try b.open(DirectPort(direct, for: .tcp(port), of: version), interface: "vk0")
            try a.learn(DirectRoute(from: version, to: hosts.b.address, port: .tcp(port)), to: direct)
            let listener = try NFTablesSocket(hosts.b.environment, SOCK_STREAM, family).bind(port).listen()
            let client = try NFTablesSocket(hosts.a.environment, SOCK_STREAM, family).connect(hosts.b.address, port)
            pairs.append((client, try listener.accept()))
        }
        try b.close(DirectPort(10_002, for: 7000, of: version))
        // The packet meets a closed port: the host answers with a reset.
        try pairs[0].client.send("lost")
        #expect(throws: KernelPathError.self) { try pairs[0].client.receive() }
        try pairs[1].client.send("not lost")
        #expect(try pairs[1].server.receive() == "not lost")
    }

    @Test(
        "what was carried is counted at both ends, by environment, peer and port", arguments: IPAddress.Family.allCases)
    func traffic(_ family: IPAddress.Family) async throws {
        let hosts = try NFTablesHosts(family)
        let version = NFTablesHosts.version(family)
        _ = (try await hosts.a.intercept([7000]), try await hosts.b.intercept([7000]))
        let (a, b) = (try hosts.a.path(), try hosts.b.path())
        try b.open(DirectPort(10_002, for: 7000, of: version), interface: "vk0")
        let route = DirectRoute(from: version, to: hosts.b.address, port: 7000)
        try a.learn(route, to: 10_002)
        #expect(try a.traffic().isEmpty)
        let listener = try NFTablesSocket(hosts.b.environment, SOCK_STREAM, family).bind(7000).listen()
        for _ in 0..<3 {
            let client = try NFTablesSocket(hosts.a.environment, SOCK_STREAM, family).connect(hosts.b.address, 7000)
            let server = try listener.accept()
            try client.send(String(repeating: "x", count: 1000))
            #expect(try server.receive().utf8.count == 1000)
        }
        let (sent, received) = (try #require(try a.traffic().first), try #require(try b.traffic().first))
        #expect(sent.route == route)
        #expect(received.route == DirectRoute(from: version, to: hosts.a.address, port: 7000))
        #expect(sent.connections == 3)
        #expect(received.connections == 3)
        #expect(sent.bytesOut > 3000)
        #expect(sent.bytesOut < 5000)
        #expect(received.bytesIn > 3000)
        #expect(sent.packetsIn > 3)
        #expect(received.packetsOut > 3)
    }
}
