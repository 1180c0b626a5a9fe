/// The private link to a machine: a bridge of the node with nothing but that machine on it. It has the name and addresses
/// that a veth would have, and is there while the machine boots, is saved, and comes back.
extension EnvironmentLink {
    /// Makes the bridge.
    func makeBridge() async throws(IsolationError) {
        try await remove()
        try await execute("ip", ["-batch", "-"], input: bridgeCommands)
    }

    /// For `ip` on the node.
    var bridgeCommands: String {
        """
        link add \(interface) type bridge
        \(additions(of: gateways, to: interface, linkLocal: "fe80::1"))
        link set \(interface) up

        """
    }
}
