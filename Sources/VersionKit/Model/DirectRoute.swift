/// A port of a host that leads straight to one version there, without its router's user space: peers hear of it in
/// headers (DESIGN 6).
public struct DirectPort: Sendable, Hashable, Codable {
    /// The port on the host's own address, out of a range that no socket is given by itself.
    public var number: UInt16
    /// The registered port that it stands for.
    public var port: TransportPort
    /// The address of the version's environment.
    public var version: IPAddress

    /// A direct port.
    public init(_ number: UInt16, for port: TransportPort, of version: IPAddress) {
        self.number = number
        self.port = port
        self.version = version
    }
}

/// A way that the kernel may take by itself: what a version here sends to a peer's registered port goes straight to the
/// peer's direct port of the same version.
public struct DirectRoute: Sendable, Hashable, Codable {
    /// The address of the version's environment here.
    public var version: IPAddress
    /// The peer's host.
    public var peer: IPAddress
    /// The registered port that the version sends to.
    public var port: TransportPort

    /// The way from a version to a peer.
    public init(from version: IPAddress, to peer: IPAddress, port: TransportPort) {
        self.version = version
        self.peer = peer
        self.port = port
    }
}
