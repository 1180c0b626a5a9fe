import VersionKitModel

/// A network namespace that is joined to the node as environments are, by `ip`.
struct HandMadeNetwork {
    let name: String
    let address: IPAddress
    private let gateway: IPAddress

    var path: String { "/run/netns/\(name)" }

    init(_ slot: Int) {
        name = "hand\(slot)"
        let network = IPAddress(v4: 10 << 24 | 78 << 16)
        gateway = network.advanced(by: slot * 4 + 1)
        address = network.advanced(by: slot * 4 + 2)
    }

    func make() async throws { try await sh(commands) }

    func remove() async throws { try await sh("ip netns delete \(name)") }

    /// For a shell.
    var commands: String {
        """
        ip netns add \(name)
        ip -batch - <<END
        link add \(name) type veth peer name eth0 netns \(name)
        address add \(gateway)/30 dev \(name)
        link set \(name) up
        END
        ip -n \(name) -batch - <<END
        link set lo up
        address add \(address)/30 dev eth0
        link set eth0 up
        route add default via \(gateway) dev eth0
        END
        """
    }
}
