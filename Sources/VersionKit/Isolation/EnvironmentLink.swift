import Glibc
import VersionKitModel

/// The private link between a node and one environment: a veth pair with a network of its own for each kind of address
/// (R1), a /30 of IPv4 and a /126 of IPv6.
struct EnvironmentLink: Sendable, Hashable, Codable {
    /// The longest packet that an environment sends: an Ethernet's, less the longest header that the router puts in front
    /// of a datagram, so that what an application sends in one piece stays in one. Packets towards the environment may be
    /// as long as the link allows, as they are behind a header or have none.
    static let packetBytesMax = 1500 - Limits.standard.datagramHeaderBytesMax

    /// The node's end.
    let gateways: HostAddresses
    /// The environment's end, where the version is reached.
    let addresses: HostAddresses
    /// The node's interface: all of these begin with `vk`, which the interception rules go by.
    let interface: String

    /// - Parameter networks: the first addresses of the networks, one for each kind of address that environments have.
    init(networks: HostAddresses, slot: Int) {
        gateways = networks.map { $0.advanced(by: slot * 4 + 1) }
        addresses = networks.map { $0.advanced(by: slot * 4 + 2) }
        interface = "vk\(slot)"
    }

    /// Makes the link to the network namespace of a process.
    ///
    /// - Parameter record: what the link is removed by.
    func connect(processID: Int32, record: LinkRecord) async throws(IsolationError) {
        try await remove()
        let namespace = open("/proc/\(processID)/ns/net", O_RDONLY | O_CLOEXEC)
        guard namespace >= 0 else { throw IsolationError("the environment ended while its network was made") }
        defer { close(namespace) }
        try await execute("ip", ["-batch", "-"], input: hostCommands(processID: processID))
        try record.record(interface)
        try await execute("ip", ["-batch", "-"], input: environmentCommands, networkNamespace: namespace)
        // The file is that of the network namespace of whoever opens it.
        let ports = EphemeralPorts.environments
        try await execute(
            "tee", ["/proc/sys/net/ipv4/ip_local_port_range"], input: "\(ports.lowerBound) \(ports.upperBound)",
            networkNamespace: namespace)
        guard addresses[.v6] != nil else { return }
        for (interface, namespace) in [(interface, nil), ("eth0", namespace)] {
            try await execute(
                "tee", ["/proc/sys/net/ipv6/conf/\(interface)/accept_ra"], input: "0", networkNamespace: namespace)
        }
    }

    /// Removes what an environment before has left, and would be in the way. Usually there is nothing.
    func remove() async throws(IsolationError) {
        guard if_nametoindex(interface) != 0 else { return }
        do throws(IsolationError) {
            try await execute("ip", ["link", "delete", interface])
        } catch {
            if if_nametoindex(interface) != 0 { throw error }
        }
    }

    /// For `ip` on the node.
    func hostCommands(processID: Int32) -> String {
        """
        link add \(interface) type veth peer name eth0 netns \(processID)
        \(additions(of: gateways, to: interface, linkLocal: "fe80::1"))
        link set \(interface) up

        """
    }

    /// For `ip` in the environment.
    var environmentCommands: String {
        """
        link set lo up
        \(additions(of: addresses, to: "eth0", linkLocal: "fe80::2"))
        link set eth0 up
        \(lines(gateways) { "route add default via \($0) dev eth0 mtu \(Self.packetBytesMax)" })

        """
    }

    /// Nobody else can have the addresses of a link of two, and one that is being checked for it cannot be used meanwhile.
    ///
    /// - Parameter linkLocal: the address to look for neighbours with. Without one the kernel does not look for those of
    ///   packets that it forwards, and one that it gives by itself is checked for a second.
    func additions(of addresses: HostAddresses, to interface: String, linkLocal: String) -> String {
        lines(addresses) { address in
            guard address.family == .v6 else { return "address add \(address)/30 dev \(interface)" }
            return """
                link set \(interface) addrgenmode none
                address add \(linkLocal)/64 dev \(interface) nodad
                address add \(address)/126 dev \(interface) nodad
                """
        }
    }

    private func lines(_ addresses: HostAddresses, _ line: (IPAddress) -> String) -> String {
        addresses.all.map(line).joined(separator: "\n")
    }
}
