import Glibc
import VersionKitModel

/// The private link between a node and one environment: a veth pair with a /30 of its own (R1).
struct EnvironmentLink: Sendable, Hashable {
    /// The node's end.
    let gateway: IPv4Address
    /// The environment's end, where the version is reached.
    let address: IPv4Address
    /// The node's interface: all of these begin with `vk`, which the interception rules go by.
    let interface: String

    init(network: IPv4Address, slot: Int) {
        let base = network.number + UInt32(slot) * 4
        gateway = IPv4Address(number: base + 1)
        address = IPv4Address(number: base + 2)
        interface = "vk\(slot)"
    }

    /// Makes the link to the network namespace of a process.
    func connect(processID: Int32) async throws(IsolationError) {
        // What a killed versiond left behind would be in the way. Usually there is nothing, and so nothing to delete.
        if if_nametoindex(interface) != 0 { try await execute("ip", ["link", "delete", interface]) }
        try await execute(
            "ip", ["-batch", "-"],
            input: """
                link add \(interface) type veth peer name eth0 netns \(processID)
                address add \(gateway)/30 dev \(interface)
                link set \(interface) up

                """)
        let namespace = open("/proc/\(processID)/ns/net", O_RDONLY | O_CLOEXEC)
        guard namespace >= 0 else { throw IsolationError("the environment ended while its network was made") }
        defer { close(namespace) }
        try await execute(
            "ip", ["-batch", "-"],
            input: """
                link set lo up
                address add \(address)/30 dev eth0
                link set eth0 up
                route add default via \(gateway)

                """, networkNamespace: namespace)
    }
}
