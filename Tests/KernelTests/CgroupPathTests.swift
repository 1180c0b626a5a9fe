import Foundation
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed

@testable import VersionKitKernel

/// Versions in the host's own network, in a real kernel: two on each host, all of which serve one port at all addresses.
@Suite("Fast path of versions in the host's own network", .serialized)
struct CgroupPathTests {
    private let hosts: NFTablesHosts
    private let a: CgroupPath
    private let b: CgroupPath
    private let port = TransportPort.tcp(HostVersion.port)
    /// What carries the traffic of environments, on the same wires.
    private let others: [BPFPath]

    init() throws {
        hosts = try NFTablesHosts()
        others = try [hosts.a, hosts.b].map { host in
            try inside(host.host.namespace) { try BPFPath(host: host.addresses, wire: "eth0") }
        }
        (a, b) = (try Self.path(hosts.a), try Self.path(hosts.b))
        for path in [a, b] { try path.register([.tcp(HostVersion.port), .udp(HostVersion.port)]) }
    }

    private static func path(_ host: NFTablesHost, resuming handover: CgroupPath.Handover? = nil) throws -> CgroupPath {
        let groups = try #require(HostVersion.groups)
        return try inside(host.host.namespace) {
            try CgroupPath(host: HostAddresses(host.address), wire: "eth0", groups: groups, resuming: handover)
        }
    }

    private func versions(on host: NFTablesHost, _ path: CgroupPath) throws -> [HostVersion] {
        try (1...2).map { try HostVersion($0, on: host, path) }
    }

    /// Opens a direct port for each version, 10001 and on.
    private func open(_ versions: [HostVersion], _ path: CgroupPath) throws {
        for (index, version) in versions.enumerated() {
            try path.open(DirectPort(10_001 + UInt16(index), for: port, of: version.address), interface: "")
        }
    }

    /// What a host hears at a port of the other one.
    private func ask(_ line: String, at directPort: UInt16) throws -> String? {
        try HostVersion.ask(line, Endpoint(address: hosts.b.address, port: directPort), hosts.a.host)
    }

    @Test("versions that bind one port of all addresses get it at an address of their own each")
    func bind() throws {
        let versions = try versions(on: hosts.b, b)
        for version in versions {
            #expect(try version.ask("name") == version.name)
            #expect(try version.ask("own") == "\(version.address):7000")
            // Nobody is at the host's address.
            #expect(try HostVersion.ask("name", Endpoint(address: hosts.b.address, port: 7000), hosts.b.host) == nil)
            // What a version says to the host it says to itself.
            for here in ["127.0.0.1", "\(hosts.b.address)"] {
                #expect(try version.ask("ask \(here) 7001") == "Connection refused")
            }
        }
    }

    @Test("a connection to a direct port comes to the version that it stands for, which sees the peer and its own port")
    func arrive() async throws {
        let interception = try await hosts.b.intercept([.tcp(7000), .udp(7000)])
        let versions = try versions(on: hosts.b, b)
        try open(versions, b)
        for (index, version) in versions.enumerated() {
            let direct = 10_001 + UInt16(index)
            #expect(try ask("name", at: direct) == version.name)
            #expect(try ask("peer", at: direct) == "\(hosts.a.address)")
            #expect(try ask("own", at: direct) == "\(version.address):7000")
        }
        let route = DirectRoute(from: versions[0].address, to: hosts.a.address, port: port)
        let traffic = try #require(try b.traffic().first { $0.route == route })
        #expect(traffic.connections == 3)
        #expect(traffic.packetsIn >= 9)
        #expect(traffic.bytesIn > traffic.packetsIn * 40)
        // Closed, it is a port of the host at which nobody listens.
        try b.close(DirectPort(10_001, for: port, of: versions[0].address))
        #expect(try ask("name", at: 10_001) == nil)
        #expect(try ask("name", at: 10_002) == versions[1].name)
        #expect(try Set(b.traffic().map(\.route.version)) == [versions[1].address])
        await interception.remove()
    }

    @Test("a version's connection to a registered port goes straight to the same version there, and does not see how")
    func leave() throws {
        let here = try versions(on: hosts.a, a)
        let there = try versions(on: hosts.b, b)
        try open(there, b)
        for (index, version) in here.enumerated() {
            let route = DirectRoute(from: version.address, to: hosts.b.address, port: port)
            try a.learn(route, to: 10_001 + UInt16(index))
            let answer = try #require(try version.ask("ask \(hosts.b.address) 7000"))
            let prefix = "\(there[index].name) at \(hosts.b.address):7000 from \(hosts.a.address):"
            #expect(answer.hasPrefix(prefix), "\(answer)")
            // Others are the relay's, and would be met by its connections there.
            let source = try #require(UInt16(answer.dropFirst(prefix.count)))
            #expect(EphemeralPorts.environments.contains(source))
            #expect(try a.traffic().first { $0.route == route }?.connections == 1)
        }
    }

    @Test("without a route a version's connection and datagrams come to the relay, from the version's own address")
    func slow() async throws {
        let interception = try await hosts.a.intercept([.tcp(7000), .udp(7000)])
        let relay = try NFTablesSocket(hosts.a.host.namespace, SOCK_STREAM).bind(15_001, transparent: true).listen()
        let datagrams = try NFTablesSocket(hosts.a.host.namespace, SOCK_DGRAM).bind(7000, transparent: true)
        let version = try HostVersion(1, on: hosts.a, a)
        let there = Endpoint(address: hosts.b.address, port: 7000)
        let asking = Errand { try version.ask("ask \(there.address) 7000") }
        let inside = try relay.accept()
        #expect(try inside.remote.address == version.address)
        #expect(try inside.local == there)
        try inside.send("relay\n")
        #expect(try asking.wait()?.hasPrefix("relay at \(there) from \(version.address):") == true)
        let telling = Errand { try version.ask("tell \(there.address) 7000") }
        let question = try datagrams.receiveFrom()
        #expect(question.source.address == version.address)
        // The relay answers as the peer, and comes to the version although its socket is bound to no address.
        let session = try NFTablesSocket(hosts.a.host.namespace, SOCK_DGRAM).bind(there, transparent: true)
        try session.send("session\n", to: question.source)
        #expect(try telling.wait()?.hasPrefix("session at \(there) from ") == true)
        // What the relay sends to a version as a peer, the version answers to the relay.
        let client = try NFTablesSocket(hosts.a.host.namespace, SOCK_STREAM)
            .bind(Endpoint(address: hosts.b.address, port: 4444), transparent: true).connect(version.address, 7000)
        try client.send("peer\n")
        #expect(try client.receive() == "\(hosts.b.address)\n")
        await interception.remove()
    }

    @Test("what a version sends from its address to a port that is not registered goes nowhere, and at once")
    func nowhere() async throws {
        let interception = try await hosts.a.intercept([])
        let client = try NFTablesSocket(hosts.a.host.namespace, SOCK_STREAM).bind(
            Endpoint(address: IPAddress("127.77.0.1")!, port: 0))
        let here = try NFTablesSocket(hosts.a.host.namespace, SOCK_STREAM).bind(7100).listen()
        #expect(throws: KernelPathError.self) { _ = try client.connect(hosts.b.address, 7100) }
        withExtendedLifetime(here) {}
        await interception.remove()
    }

    @Test("a version has its address without the one who gave it, and a new one goes on with it")
    func adopted() throws {
        let version = try HostVersion(1, on: hosts.b, b)
        try open([version], b)
        b.remove()
        #expect(try version.ask("name") == version.name)
        #expect(try ask("name", at: 10_001) == nil)
        let next = try Self.path(hosts.b)
        try next.register([port])
        try next.attach(version.address, to: version.group)
        try open([version], next)
        #expect(try ask("name", at: 10_001) == version.name)
        #expect(try ask("own", at: 10_001) == "\(version.address):7000")
    }

    @Test("handed over, direct ports and routes are never away")
    func handOver() throws {
        let version = try HostVersion(1, on: hosts.b, b)
        try open([version], b)
        let encoder = JSONEncoder()
        encoder.userInfo[InheritedDescriptors.key] = InheritedDescriptors()
        guard case .cgroup(let handover) = try #require(b.leave()) else { throw KernelPathError("another path") }
        let copy = try JSONDecoder().decode(CgroupPath.Handover.self, from: encoder.encode(handover))
        // Nobody has it now, and it goes on.
        #expect(try ask("name", at: 10_001) == version.name)
        let next = try Self.path(hosts.b, resuming: copy)
        #expect(try ask("own", at: 10_001) == "\(version.address):7000")
        #expect(try next.traffic().first?.connections == 2)
        let route = DirectRoute(from: version.address, to: hosts.a.address, port: port)
        try next.learn(route, to: 10_011)
        try next.close(DirectPort(10_001, for: port, of: version.address))
        #expect(try ask("name", at: 10_001) == nil)
    }

    @Test("where there are no control groups it says so, and that another way is to be tried")
    func unsupported() throws {
        let groups = "/run"
        let error = #expect(throws: KernelPathError.self) {
            _ = try inside(hosts.a.host.namespace) { [address = hosts.a.address] in
                try CgroupPath(host: HostAddresses(address), wire: "eth0", groups: groups)
            }
        }
        // That is no directory of control groups.
        #expect(error?.isUnsupported == true)
    }
}
