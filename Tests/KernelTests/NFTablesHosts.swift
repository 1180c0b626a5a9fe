import CLinux
import Glibc
import VersionKitModel
import VersionKitSockets
import VersionKitTestbed

@testable import VersionKitKernel

/// Two nodes with an environment each, and a host that knows nothing of versions, on one segment.
///
/// Everybody has addresses of both kinds of IP; what a test is told are those of one kind. Those of a link are there from
/// the start as well: without one a node asks for no neighbours. Both environments have the same address, as they may on
/// two nodes.
final class NFTablesHosts: Sendable {
    static let environments = IPAddress("10.77.0.0")!
    static let environments6 = IPAddress("fd00:564b::")!
    static let networks = HostAddresses(environments, environments6)

    /// The address of an environment.
    static func version(_ family: IPAddress.Family) -> IPAddress {
        IPAddress(family == .v4 ? "10.77.0.2" : "fd00:564b::2")!
    }

    let testbed: Testbed
    let a: NFTablesHost
    let b: NFTablesHost
    let web: TestbedHost
    let webAddress: IPAddress

    init(_ family: IPAddress.Family = .v4) throws {
        var plan = TestbedPlan()
        plan.segment("s")
        for (name, address) in [("a", "10.99.0.1"), ("b", "10.99.0.2"), ("web", "10.99.0.3")] {
            plan.host(name, address: address, on: "s")
        }
        testbed = try Testbed(plan)
        for (index, host) in testbed.hosts.enumerated() {
            try HostNetwork(namespace: host.namespace).run(
                "ip", ["-batch", "-"],
                input: """
                    link set eth0 addrgenmode none
                    address flush dev eth0 scope link
                    address add fe80::\(index + 1)/64 dev eth0 nodad
                    address add \(Self.address6(index))/64 dev eth0 nodad

                    """)
        }
        let addresses = testbed.hosts.enumerated().map { index, host in
            HostAddresses(IPAddress(host.address)!, Self.address6(index))
        }
        a = try NFTablesHost(testbed.hosts[0], addresses[0], family)
        b = try NFTablesHost(testbed.hosts[1], addresses[1], family)
        web = testbed.hosts[2]
        webAddress = addresses[2][family]!
    }

    private static func address6(_ index: Int) -> IPAddress { IPAddress("2001:db8:99::\(index + 1)")! }

    deinit { testbed.stop() }
}

/// A node with the environment behind `vk0`.
final class NFTablesHost: Sendable {
    let host: TestbedHost
    let network: HostNetwork
    let addresses: HostAddresses
    /// The one of the kind that is tested.
    let address: IPAddress
    /// The environment's network namespace.
    let environment: Int32
    /// The state file of the interception.
    let stateFile: String

    init(_ host: TestbedHost, _ addresses: HostAddresses, _ family: IPAddress.Family) throws {
        self.host = host
        network = HostNetwork(namespace: host.namespace)
        self.addresses = addresses
        address = addresses[family]!
        environment = vk_new_network_namespace()
        stateFile = "/run/sysctls-\(host.name)-\(UInt64.random(in: 0 ... .max))"
        try network.run(
            "ip", ["-batch", "-"],
            input: """
                link add vk0 type veth peer name eth0 netns /proc/self/fd/100
                address add 10.77.0.1/30 dev vk0
                address add fd00:564b::1/126 dev vk0 nodad
                link set vk0 addrgenmode none up
                address add fe80::1/64 dev vk0 nodad

                """, descriptors: [100: environment])
        try HostNetwork(namespace: environment).run(
            "ip", ["-batch", "-"],
            input: """
                link set lo up
                address add \(NFTablesHosts.version(.v4))/30 dev eth0
                address add \(NFTablesHosts.version(.v6))/126 dev eth0 nodad
                link set eth0 addrgenmode none up
                address add fe80::2/64 dev eth0 nodad
                route add default via 10.77.0.1
                route add default via fd00:564b::1

                """)
    }

    deinit {
        close(environment)
        unlink(stateFile)
    }

    /// The rules of the slow path, with a relay's port on which nobody listens unless a test does.
    static let rules = InterceptionRules(
        transparentPort: 15_001, environmentNetworks: NFTablesHosts.networks, directPorts: 10_000...14_999)

    /// The slow path.
    func intercept(_ ports: Set<TransportPort> = []) async throws -> Interception {
        let interception = try await Interception(
            Self.rules, stateFile: stateFile, directPorts: 10_000...14_999, network: network)
        try await interception.apply(ports: ports)
        return interception
    }

    /// The fast path.
    func path(resuming: NFTablesPath.Handover? = nil) throws -> NFTablesPath {
        try NFTablesPath(
            addresses: addresses, environmentNetworks: NFTablesHosts.networks, resuming: resuming, network: network)
    }

    /// All of nftables, with nothing of the program that lists it.
    func ruleset() throws -> String { try network.run("nft", ["list", "ruleset"]) }

    /// All that an interception changes, first the rules.
    func state() throws -> [String] {
        let sysctls = "^net.ipv6.conf.*(forwarding|accept_ra)$|" + Sysctls.wanted.keys.joined(separator: "|")
        let commands = [
            ["nft", "list", "ruleset"], ["ip", "-4", "rule"], ["ip", "-6", "rule"],
            ["ip", "-4", "route", "show", "table", "all"], ["ip", "-6", "route", "show", "table", "all"],
            ["sysctl", "-a", "-r", sysctls.split(separator: "/").joined(separator: ".")],
        ]
        return try commands.map { command in
            // That of groups comes some time after the link.
            try network.run(command[0], Array(command.dropFirst())).split(separator: "\n")
                .filter { !$0.contains("ff00::") }.joined(separator: "\n")
        }
    }

    /// What Linux says of a sysctl, by its path below `/proc/sys/net`.
    func sysctl(_ name: String) throws -> String {
        try network.run("sysctl", ["-n", "net/\(name)"]).filter { $0 != "\n" }
    }
}

/// A socket of a test: blocking, but never for more than ten seconds.
final class NFTablesSocket: Sendable {
    let number: Int32
    private let family: IPAddress.Family

    init(_ namespace: Int32, _ type: __socket_type, _ family: IPAddress.Family = .v4, protocol: Int32 = 0) throws {
        self.family = family
        number = try Self.check(vk_socket_in(namespace, family.system, Int32(type.rawValue), `protocol`))
        set(SOL_SOCKET, SO_REUSEADDR, 1)
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(number, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    private init(accepted: Int32, _ family: IPAddress.Family) {
        number = accepted
        self.family = family
    }

    deinit { close(number) }

    @discardableResult
    private static func check(_ result: Int32) throws -> Int32 {
        guard result >= 0 else { throw KernelPathError("a socket of the test: \(String(cString: strerror(errno)))") }
        return result
    }

    func set(_ level: Int32, _ option: Int32, _ value: Int32) {
        _ = vk_set_socket_option(number, level, option, value)
    }

    /// A socket that sends and receives by one interface only.
    func on(_ interface: String) throws -> NFTablesSocket {
        let length = socklen_t(interface.utf8.count)
        try Self.check(setsockopt(number, SOL_SOCKET, SO_BINDTODEVICE, interface, length))
        return self
    }

    /// A bound socket; `transparent` ones may have any address.
    func bind(_ endpoint: Endpoint, transparent: Bool = false) throws -> NFTablesSocket {
        let local = vk_endpoint(endpoint)
        try Self.check(transparent ? vk_bind_transparent(number, local) : vk_bind(number, local))
        return self
    }

    /// A socket bound to a port of any address.
    func bind(_ port: UInt16, transparent: Bool = false) throws -> NFTablesSocket {
        try bind(Endpoint(address: family.any, port: port), transparent: transparent)
    }

    func connect(_ address: IPAddress, _ port: UInt16) throws -> NFTablesSocket {
        try Self.check(vk_connect(number, vk_endpoint(address, port)))
        return self
    }

    func listen() throws -> NFTablesSocket {
        try Self.check(Glibc.listen(number, 64))
        return self
    }

    func accept() throws -> NFTablesSocket {
        NFTablesSocket(accepted: try Self.check(vk_accept4(number, 0)), family)
    }

    var local: Endpoint { get throws { try endpoint(vk_local_address) } }
    var remote: Endpoint { get throws { try endpoint(vk_peer_address) } }

    private func endpoint(_ call: (Int32, UnsafeMutablePointer<vk_endpoint>) -> Int32) throws -> Endpoint {
        var endpoint = vk_endpoint()
        try Self.check(call(number, &endpoint))
        return Endpoint(endpoint)
    }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        try Self.check(Int32(Glibc.send(number, bytes, bytes.count, Int32(MSG_NOSIGNAL))))
    }

    /// What comes next, empty at the end.
    func receive() throws -> String {
        var buffer = [UInt8](repeating: 0, count: 2048)
        let count = try Self.check(Int32(recv(number, &buffer, buffer.count, 0)))
        return String(decoding: buffer[..<Int(count)], as: UTF8.self)
    }

    /// Sends from an unconnected socket.
    func send(_ text: String, to endpoint: Endpoint) throws { try send(Array(text.utf8), to: endpoint) }

    func send(_ bytes: [UInt8], to endpoint: Endpoint) throws {
        var address = sockaddr_in6()
        let length = Self.write(endpoint, to: &address)
        let count = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(number, bytes, bytes.count, 0, $0, length)
            }
        }
        try Self.check(Int32(count))
    }

    /// What comes next to an unconnected socket, and from whom.
    func receiveFrom() throws -> (text: String, source: Endpoint) {
        var buffer = [UInt8](repeating: 0, count: 2048)
        var address = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let count = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(number, &buffer, buffer.count, 0, $0, &length)
            }
        }
        try Self.check(Int32(count))
        return (String(decoding: buffer[..<count], as: UTF8.self), Self.endpoint(address))
    }

    /// Both kinds of system addresses begin with family and port, and have room in the larger one.
    private static func write(_ endpoint: Endpoint, to system: inout sockaddr_in6) -> socklen_t {
        system.sin6_family = sa_family_t(endpoint.address.family.system)
        system.sin6_port = endpoint.port.bigEndian
        return withUnsafeMutableBytes(of: &system) { bytes in
            if let number = endpoint.address.v4 {
                bytes.storeBytes(of: number.bigEndian, toByteOffset: 4, as: UInt32.self)
                return socklen_t(MemoryLayout<sockaddr_in>.size)
            }
            bytes.storeBytes(of: endpoint.address.high.bigEndian, toByteOffset: 8, as: UInt64.self)
            bytes.storeBytes(of: endpoint.address.low.bigEndian, toByteOffset: 16, as: UInt64.self)
            return socklen_t(bytes.count)
        }
    }

    private static func endpoint(_ system: sockaddr_in6) -> Endpoint {
        let address = withUnsafeBytes(of: system) { bytes in
            guard system.sin6_family == sa_family_t(AF_INET6) else {
                return IPAddress(v4: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
            }
            return IPAddress(
                high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)))
        }
        return Endpoint(address: address, port: UInt16(bigEndian: system.sin6_port))
    }
}
