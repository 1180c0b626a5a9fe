public import VersionKitModel

/// What went between a version here and a peer, by one path, since versiond began: a row of `versionctl top`.
public struct TrafficStatus: Codable, Sendable, Hashable {
    /// The application.
    public var application: ApplicationID
    /// Its version here.
    public var version: Version
    /// The peer's address; `others` for those beyond the number that is counted one by one.
    public var peer: String
    /// Which protocol.
    public var transport: TransportProtocol
    /// `relay` for the slow path, or the fast path's kind.
    public var path: String
    /// Connections that began, either way; 0 for UDP.
    public var connections: UInt64
    /// Datagrams, or packets where the kernel counts; pieces of data for a relayed connection.
    public var messages: UInt64
    /// Bytes that the version sent.
    public var bytesOut: UInt64
    /// Bytes that it was sent.
    public var bytesIn: UInt64

    /// A row.
    public init(
        application: ApplicationID, version: Version, peer: String, transport: TransportProtocol, path: String,
        connections: UInt64 = 0, messages: UInt64 = 0, bytesOut: UInt64 = 0, bytesIn: UInt64 = 0
    ) {
        self.application = application
        self.version = version
        self.peer = peer
        self.transport = transport
        self.path = path
        self.connections = connections
        self.messages = messages
        self.bytesOut = bytesOut
        self.bytesIn = bytesIn
    }
}

/// The router's fast path on a node.
public struct KernelStatus: Codable, Sendable, Equatable {
    /// What it is made of; `nil`: there is none, and everything takes the slow path.
    public var kind: String?
    /// The same for versions in the node's own network; `nil`: there are none, or no fast path for them.
    public var hostKind: String?
    /// The kinds that cannot be had here, and why.
    public var missing: [String: String]
    /// Ports of this host that lead straight to a version.
    public var directPorts: Int
    /// Routes to peers that the kernel takes by itself at the moment.
    public var routes: Int
    /// Changes that the kernel refused.
    public var failures: UInt64

    /// A status.
    public init(
        kind: String?, hostKind: String? = nil, missing: [String: String], directPorts: Int, routes: Int,
        failures: UInt64
    ) {
        self.kind = kind
        self.hostKind = hostKind
        self.missing = missing
        self.directPorts = directPorts
        self.routes = routes
        self.failures = failures
    }
}

/// Which flow `versionctl explain flow` asks about.
public struct FlowQuery: Codable, Sendable, Hashable {
    /// The application.
    public var application: ApplicationID
    /// Its version on this node.
    public var version: Version
    /// The host that it speaks to.
    public var peer: IPAddress
    /// The port there.
    public var port: TransportPort

    /// A flow.
    public init(application: ApplicationID, version: Version, peer: IPAddress, port: TransportPort) {
        self.application = application
        self.version = version
        self.peer = peer
        self.port = port
    }
}
