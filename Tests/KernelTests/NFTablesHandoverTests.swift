import CLinux
import Foundation
import Glibc
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed

@testable import VersionKitKernel

/// A router's tables are given to another one while traffic goes by them.
@Suite("Handing over the tables")
struct NFTablesHandoverTests {
    /// How the next one finds its rules.
    enum Next: CaseIterable {
        case hasTheSameRules
        case hasOtherRules
    }

    @Test("the fast path goes on", arguments: IPAddress.Family.allCases, Next.allCases)
    func fastPath(_ family: IPAddress.Family, _ next: Next) async throws {
        let hosts = try NFTablesHosts(family)
        let version = NFTablesHosts.version(family)
        let before = try hosts.a.ruleset()
        var nodes = [try await Node(hosts.a, [7000, .udp(7000)]), try await Node(hosts.b, [7000, .udp(7000)])]
        for (index, (node, peer)) in zip(nodes, [hosts.b, hosts.a]).enumerated() {
            for port in [TransportPort(7000), .udp(7000)] {
                try node.path.open(DirectPort(UInt16(10_001 + index), for: port, of: version), interface: "vk0")
                let route = DirectRoute(from: version, to: peer.address, port: port)
                try node.path.learn(route, to: UInt16(10_002 - index))
            }
        }
        let listener = try NFTablesSocket(hosts.b.environment, SOCK_STREAM, family).bind(7000).listen()
        var connections: [(NFTablesSocket, NFTablesSocket)] = []
        let flow = try DatagramFlow(hosts.a, hosts.b)
        // There is no relay: what left the fast path for a moment is lost.
        defer { flow.stop() }
        let (outcome, stream) = flow.start()
        var steps = stream.makeAsyncIterator()
        for _ in 0..<4 {
            await steps.next()
            let carried = try nodes[0].path.traffic().map(\.packetsOut).reduce(0, +)
            nodes = [try await nodes[0].handOver(next), try await nodes[1].handOver(next)]
            #expect(try nodes[0].path.traffic().map(\.packetsOut).reduce(0, +) >= carried)
            let client = try NFTablesSocket(hosts.a.environment, SOCK_STREAM, family).connect(hosts.b.address, 7000)
            connections.append((client, try listener.accept()))
            for (client, server) in connections {
                try client.send("ask")
                #expect(try server.receive() == "ask")
                try server.send("answer")
                #expect(try client.receive() == "answer")
            }
        }
        flow.stop()
        let result = try await outcome.value
        #expect(result.missing.isEmpty)
        #expect(Set(result.sources.keys) == [7000])
        // What was known is known: a route of before can be forgotten, a port closed.
        try nodes[0].path.forget(DirectRoute(from: version, to: hosts.b.address, port: 7000))
        try nodes[1].path.close(DirectPort(10_002, for: 7000, of: version))
        #expect(throws: KernelPathError.self) { _ = try (connections[0].0.send("lost"), connections[0].0.receive()) }
        for node in nodes { await node.stop() }
        #expect(try hosts.a.ruleset() == before)
        #expect(try hosts.b.ruleset() == before)
    }

    @Test("the slow path goes on", arguments: IPAddress.Family.allCases, Next.allCases)
    func slowPath(_ family: IPAddress.Family, _ next: Next) async throws {
        let hosts = try NFTablesHosts(family)
        let before = try hosts.a.state()
        var nodes = [try await Node(hosts.a, [7000, .udp(7000)]), try await Node(hosts.b, [7000, .udp(7000)])]
        let tunnels = (try DatagramTunnel(hosts.a, hosts.b.address), try DatagramTunnel(hosts.b, hosts.a.address))
        let relay = try NFTablesSocket(hosts.a.host.namespace, SOCK_STREAM, family)
            .bind(15_001, transparent: true).listen()
        let flow = try DatagramFlow(hosts.a, hosts.b)
        defer { flow.stop() }
        let (outcome, stream) = flow.start()
        var steps = stream.makeAsyncIterator()
        let meanwhile = try hosts.a.state()
        for _ in 0..<4 {
            await steps.next()
            nodes = [try await nodes[0].handOver(next), try await nodes[1].handOver(next)]
            let client = try NFTablesSocket(hosts.a.environment, SOCK_STREAM, family).connect(hosts.b.address, 7000)
            #expect(try relay.accept().local.address == hosts.b.address)
            withExtendedLifetime(client) {}
        }
        flow.stop()
        #expect(try await outcome.value.missing.isEmpty)
        // There is nothing twice.
        for (now, then) in zip(try hosts.a.state(), meanwhile).dropFirst() { #expect(now == then) }
        for node in nodes { await node.stop() }
        for (now, then) in zip(try hosts.a.state(), before) { #expect(now == then) }
        withExtendedLifetime(tunnels) {}
    }

    @Test("who has handed over does nothing more")
    func dead() async throws {
        let hosts = try NFTablesHosts()
        let old = try await Node(hosts.a, [7000])
        let new = try await old.handOver(.hasTheSameRules)
        let rules = try hosts.a.ruleset()
        await old.stop()
        #expect(try hosts.a.ruleset() == rules)
        await #expect(throws: KernelPathError.self) { try await old.interception.apply(ports: []) }
        #expect(throws: KernelPathError.self) {
            try old.path.open(DirectPort(10_001, for: 7000, of: NFTablesHosts.version(.v4)), interface: "vk0")
        }
        await new.stop()
        #expect(try hosts.a.ruleset() == "")
    }

    @Test("one that has no address of IPv6 any more takes down what was for it")
    func without6() async throws {
        let hosts = try NFTablesHosts()
        let old = try await Node(hosts.a, [7000])
        let rules = InterceptionRules(
            transparentPort: 15_001, environmentNetworks: HostAddresses(NFTablesHosts.environments))
        let interception = try await Interception(
            rules, stateFile: hosts.a.stateFile, resuming: old.interception.handOver(), network: hosts.a.network)
        let path = try NFTablesPath(
            addresses: HostAddresses(hosts.a.addresses[.v4]!),
            environmentNetworks: HostAddresses(NFTablesHosts.environments),
            resuming: old.path.handOver(), network: hosts.a.network)
        let text = try hosts.a.ruleset()
        #expect(!text.contains("ip6"))
        #expect(text.contains("7000"))
        #expect(try hosts.a.network.run("ip", ["-6", "rule"]).split(separator: "\n").count == 2)
        path.remove()
        await interception.remove()
        #expect(try hosts.a.ruleset() == "")
    }

    /// The router's part in the kernel.
    struct Node {
        let host: NFTablesHost
        let interception: Interception
        let path: NFTablesPath

        init(_ host: NFTablesHost, _ ports: Set<TransportPort>) async throws {
            self.host = host
            interception = try await host.intercept(ports)
            path = try host.path()
        }

        private init(_ host: NFTablesHost, _ interception: Interception, _ path: NFTablesPath) {
            (self.host, self.interception, self.path) = (host, interception, path)
        }

        /// The one that goes on with it.
        func handOver(_ next: Next) async throws -> Node {
            var interception = try again(interception.handOver())
            var path = try again(path.handOver())
            if next == .hasOtherRules {
                for family in IPAddress.Family.allCases {
                    interception.tables[family] = "others"
                    path.tables[family]?.text = "others"
                }
            }
            return Node(
                host,
                try await Interception(
                    NFTablesHost.rules, stateFile: host.stateFile, resuming: interception, network: host.network),
                try host.path(resuming: path))
        }

        private func again<State: Codable>(_ state: State) throws -> State {
            try JSONDecoder().decode(State.self, from: JSONEncoder().encode(state))
        }

        func stop() async {
            path.remove()
            await interception.remove()
        }
    }
}
