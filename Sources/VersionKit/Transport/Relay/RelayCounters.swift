package import VersionKitModel

/// What a router's relay has done since it began. Nothing is dropped without being counted here.
package struct RelayCounters: Sendable, Equatable, Codable {
    /// Connections of versions here to peers.
    package var outbound: UInt64 = 0
    /// Connections of peers that were delivered to a version here.
    package var inbound: UInt64 = 0
    /// Connections without headers: of peers, and to peers.
    package var plain: UInt64 = 0
    /// Requests of other routers.
    package var control: UInt64 = 0
    /// Connections that were closed, by reason.
    package var refused: [String: UInt64] = [:]
    /// Pieces of data from peers that were delivered, by application and version.
    package var delivered: [ApplicationID: [Version: UInt64]] = [:]
    /// Bytes relayed, both directions.
    package var bytes: UInt64 = 0
    /// Connections to peers that went by one which was open already.
    package var pooled: UInt64 = 0
    /// Connections of peers that were closed before anything was sent on them.
    package var unused: UInt64 = 0

    /// All zero.
    package init() {}
}

/// What the relay carried between a version here and a peer.
package struct RelayTraffic: Sendable, Hashable, Codable {
    /// Whose bytes.
    package var application: ApplicationID
    /// Which version of it here.
    package var version: Version
    /// The peer; `nil`: all those together that are beyond ``Limits/relayFlowsMax``.
    package var peer: IPAddress?
    /// Connections that the version opened, and those that were delivered to it.
    package var connections: UInt64 = 0
    /// Bytes that the version sent, headers not included.
    package var bytesOut: UInt64 = 0
    /// Bytes that were delivered to the version.
    package var bytesIn: UInt64 = 0
    /// Connections that were closed, by reason.
    package var refused: [String: UInt64] = [:]

    /// A count that is zero.
    package init(application: ApplicationID, version: Version, peer: IPAddress?) {
        self.application = application
        self.version = version
        self.peer = peer
    }
}
