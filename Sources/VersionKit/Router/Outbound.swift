package import VersionKitModel
package import VersionKitWire

/// How a version's connection to a peer is made.
package enum Outbound: Sendable, Hashable {
    /// Header first. If it does not go by a connection to a known router, the application's bytes wait for an answer.
    case header
    /// As the application made it: the peer has no router, or the application names its versions itself.
    case plain
    /// Not at all; the reason is counted.
    case refuse(OutboundRefusal)
}

/// Why a version's connection is refused by its own router.
package enum OutboundRefusal: String, Sendable, Hashable {
    /// The port is not registered: it got here by some other way than the kernel's rules.
    case unregisteredPort = "unregistered-port"
    /// An environment of this node: versions meet by way of hosts' addresses only.
    case toEnvironment = "to-environment"
    /// The peer has no router, and another version is the one that speaks to such peers.
    case plainPeer = "plain-peer"
}

/// What a peer's first answer to a header shows.
package enum ProbeVerdict: Sendable, Hashable {
    /// Too few bytes to say.
    case wait
    /// A router, which said this in so many bytes.
    case router(VersionHeader, length: Int)
    /// No router. `isCertain`: it said something that no router says; otherwise it only left, or said nothing.
    case plain(isCertain: Bool)
    /// Something that must not be spoken to.
    case invalid(VersionHeader.Fault)

    /// Judges what came back.
    ///
    /// - Parameter isLast: nothing more will come, or not in time.
    package init(_ decoded: VersionHeader.Decoded, bytes: Int, isLast: Bool) {
        switch decoded {
        case .header(let header, let length): self = .router(header, length: length)
        case .absent: self = .plain(isCertain: bytes > 0)
        case .invalid(let fault): self = .invalid(fault)
        case .needMore: self = isLast ? .plain(isCertain: false) : .wait
        }
    }
}

extension RoutingTable {
    /// Decides on a connection of a version here to some address.
    ///
    /// Routers cannot pass a connection round in a circle: what a router opens for a version goes to no environment, and
    /// what it delivers goes to nothing but an environment; only connections that come from an environment are passed on.
    ///
    /// - Parameter isPlainPeer: the peer is known to have no router.
    package func outbound(
        from sender: (application: ApplicationID, version: Version), to wanted: Endpoint, isPlainPeer: Bool
    ) -> Outbound {
        let port = TransportPort.tcp(wanted.port)
        guard ports.contains(port) else { return .refuse(.unregisteredPort) }
        guard self.sender(at: wanted.address) == nil else { return .refuse(.toEnvironment) }
        // To another application this one is a client like any other.
        guard let application = applications[sender.application], application.ports.contains(port) else {
            return .plain
        }
        if application.filter != nil { return .plain }
        guard isPlainPeer else { return .header }
        return speaksPlainly(sender) ? .plain : .refuse(.plainPeer)
    }

    /// Whether this is the version that speaks to peers without a router.
    package func speaksPlainly(_ sender: (application: ApplicationID, version: Version)) -> Bool {
        guard let application = applications[sender.application] else { return false }
        return (application.plainVersion ?? application.advertised.min()) == sender.version
    }
}
