package import VersionKitModel

extension NodeConfiguration {
    static let environmentNetworkDefault = IPAddress(v4: 10 << 24 | 77 << 16)
    private static let environmentNetwork6Default = IPAddress(high: 0xFD00_564B << 32, low: 0)

    /// The networks of the environments' addresses: one for each kind that the node itself has, so that versions are
    /// reached the way that peers reach the node.
    ///
    /// - Throws: ``NodeError`` if a network is none, or the node's addresses are not those of a host.
    package func environmentNetworks() throws(NodeError) -> HostAddresses {
        for own in address.all where !own.isUnicast || own.isLinkLocal {
            throw NodeError("address: \(own) is no address by which every peer can reach this node")
        }
        let v4 = environmentNetwork ?? Self.environmentNetworkDefault
        let v6 = environmentNetwork6 ?? Self.environmentNetwork6Default
        guard let number = v4.v4, v4.isUnicast, number & 0xFFFF == 0 else {
            throw NodeError("environmentNetwork: \(v4) is not the first address of a /16 of IPv4")
        }
        guard v6.family == .v6, v6.isUnicast, !v6.isLinkLocal, v6.low == 0 else {
            throw NodeError("environmentNetwork6: \(v6) is not the first address of a /64 of IPv6")
        }
        return address.map { $0.family == .v4 ? v4 : v6 }
    }
}
