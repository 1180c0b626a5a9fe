public import VersionKitModel

/// What is asked of the table for datagrams only.
extension RoutingTable {
    /// What is to be done with a datagram that a version sent to a registered port.
    public enum OutboundDatagram: Sendable, Hashable {
        /// It goes to the peer's router with a header in front.
        case withHeader
        /// It goes as it is: the peer has no router, or the application needs none.
        case plain
        /// It is dropped and counted.
        case refuse(OutboundRefusal)
    }

    /// Why a version's datagram is not sent.
    public enum OutboundRefusal: String, Sendable, Hashable {
        /// The version's application did not register this port.
        case unknownPort = "unknown-port"
        /// It is for the address of another environment: versions meet only by way of their hosts.
        case otherVersion = "other-version"
        /// It is for many: who has a router and who has not is known of single hosts only.
        case notUnicast = "not-unicast"
    }

    /// Decides on a datagram that a version sends to a registered port of a peer, or in answer to one that came by it.
    public func outbound(
        from application: ApplicationID, to peer: IPAddress, on port: TransportPort
    ) -> OutboundDatagram {
        guard let known = applications[application], known.ports.contains(port) else { return .refuse(.unknownPort) }
        // 224.0.0.0 and above: multicast, reserved, broadcast.
        guard peer.isUnicast else { return .refuse(.notUnicast) }
        guard sender(at: peer) == nil else { return .refuse(.otherVersion) }
        return known.identifiesVersions || known.plainPeers.contains(peer) ? .plain : .withHeader
    }

    /// The versions that get each datagram of this port that has no header, because they tell themselves which of them
    /// are theirs; none if one version gets it, by ``inbound(_:on:)``.
    public func recipients(on port: TransportPort) -> [(application: ApplicationID, version: Version)] {
        for (id, application) in applications where application.identifiesVersions && application.ports.contains(port) {
            return application.versions.keys.filter(application.isReachable).sorted().map { (id, $0) }
        }
        return []
    }
}
