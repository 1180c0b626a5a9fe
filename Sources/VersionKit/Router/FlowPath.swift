public import VersionKitModel

/// Which way a version's bytes to a peer go, and why: the answer of `versionctl explain flow`.
public enum FlowPath: Sendable, Hashable {
    /// The port is not registered: the router does not touch it (R8).
    case unmanaged
    /// The version does not run on this node.
    case notRunning
    /// This node has no address of the peer's kind.
    case noAddress(IPAddress.Family)
    /// By the kernel, to the peer's direct port; for so long, unless it is heard of again.
    case kernel(directPort: UInt16, remaining: Duration)
    /// By the relay, with a header in front.
    case relay(Reason)

    /// Why a flow does not take the fast path.
    public enum Reason: Sendable, Hashable {
        /// The node has none: what was tried, and why it failed.
        case noFastPath(String)
        /// The version does not serve peers yet, or any more.
        case notServing
        /// The peer has not said at which port its version can be reached directly, or long ago: the next conversation
        /// asks.
        case notLearnt
    }

    /// Decides as the router does.
    ///
    /// - Parameters:
    ///   - fastPath: why there is none; `nil` if there is one.
    ///   - now: by the clock that the routes were learnt by.
    public init(
        from version: Version, of application: ApplicationID, to peer: IPAddress, port: TransportPort,
        table: RoutingTable, routes: DirectRoutes, missingFastPath fastPath: String?, now: Duration
    ) {
        guard let known = table.applications[application], known.ports.contains(port), !peer.isLinkLocal else {
            self = .unmanaged
            return
        }
        guard let addresses = known.versions[version] else {
            self = .notRunning
            return
        }
        guard let address = addresses[peer.family] else {
            self = .noAddress(peer.family)
            return
        }
        if let fastPath {
            self = .relay(.noFastPath(fastPath))
        } else if !known.advertised.contains(version) {
            self = .relay(.notServing)
        } else if let entry = routes.entries[DirectRoute(from: address, to: peer, port: port)], entry.isTaken,
            entry.expiry > now
        {
            self = .kernel(directPort: entry.number, remaining: entry.expiry - now)
        } else {
            self = .relay(.notLearnt)
        }
    }
}

extension FlowPath: CustomStringConvertible {
    /// The way and the reason, for an operator.
    public var description: String {
        switch self {
        case .unmanaged:
            "untouched: no application registered this port, or the address is link-local; the host treats it like any "
                + "other traffic"
        case .notRunning: "nowhere: this version does not run on this node"
        case .noAddress(let family):
            "nowhere: this node has no \(family == .v4 ? "IPv4" : "IPv6") address in its configuration"
        case .kernel(let port, let remaining):
            "fast path: the kernel sends it to port \(port) of the peer; known for \(remaining.components.seconds) s more, "
                + "unless the peer repeats it"
        case .relay(.noFastPath(let reason)): "slow path: this node has no fast path (\(reason))"
        case .relay(.notServing): "slow path: the version does not serve peers here, so no port leads straight to it"
        case .relay(.notLearnt):
            "slow path: the peer has not lately said which of its ports leads straight to this version; "
                + "the next conversation asks, and what follows it takes the fast path"
        }
    }
}
