/// Every bound of the data plane, in one place. Sizes are bytes, times are durations.
///
/// Nothing here grows without limit: what goes over a bound is refused, closed or held back, and counted.
public struct Limits: Sendable, Equatable {
    /// The longest ``VersionHeader``, extensions included.
    public var headerBytesMax = 1024

    /// How long a router waits for the whole header of a new connection before it treats the peer as one without.
    public var headerTimeout: Duration = .seconds(5)

    /// Connections that a node's router relays at one time; more are closed at once.
    public var relayedConnectionsMax = 16_384

    /// How long a router or a proxy waits for a connection to a peer or a version.
    public var connectTimeout: Duration = .seconds(5)

    /// Client connections of one proxy at one time; more are closed at once.
    public var clientConnectionsMax = 16_384

    /// Bytes of one client or version that a proxy holds without a complete message. A message that is longer is
    /// refused and its connection closed.
    public var messageBytesMax = 17 << 20

    /// Requests of one client connection that may be under way; the proxy reads no further ones until replies left.
    public var pipelinedRequestsMax = 128

    /// Unsent bytes towards a client or version at which the proxy stops reading what would add to them.
    public var unsentBytesMax = 4 << 20

    /// How long a version may take for a reply before its connection counts as lost.
    public var replyTimeout: Duration = .seconds(10)

    /// The bytes of an unfinished request that may move to a newer proxy with its connection.
    public var handoverBytesMax = 32 << 10

    /// The defaults, as above.
    public init() {}

    /// The defaults.
    public static let standard = Limits()
}
