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

    /// How long a client's connection may be without a request under way before it is closed; `nil`: for ever.
    public var idleTimeout: Duration?

    /// How long a client may take from the first byte of a request to its last.
    public var requestTimeout: Duration = .seconds(60)

    /// How long a client may take no bytes although some wait for it.
    public var stalledClientTimeout: Duration = .seconds(5)

    /// How often a request that may be done twice is sent again when a version was lost before it answered.
    public var resendsMax = 1

    /// How often one request's ``Strategy`` is asked what comes next.
    public var strategyStepsMax = 16

    /// Bytes of writes that wait for a version which is down. What goes over it is not kept: the version is then
    /// compared key by key, or taken out.
    public var catchUpBytesMax = 256 << 20

    /// Writes that wait for a version which is down.
    public var catchUpEntriesMax = 1 << 20

    /// The longest record of a catch-up log: a write that is longer cannot be kept.
    public var catchUpRecordBytesMax = 64 << 20

    /// Bytes of one file of a version's catch-up log, but for the record that goes over it. A file is removed when
    /// all writes in it are done, so this is what the log may hold of writes that are.
    public var catchUpFileBytesMax = 16 << 20

    /// Bytes of a version's whole catch-up log on the disk. What would go over it cannot be kept.
    public var catchUpLogBytesMax = 512 << 20

    /// How long a version may stay down before it is reported as failed.
    public var catchUpTimeout: Duration = .seconds(60)

    /// Keys that are copied or compared at one time; writes to them wait meanwhile.
    public var copiedKeysMax = 256

    /// Requests that came as datagrams and are under way, for each socket; more are dropped and counted.
    public var datagramRequestsMax = 4096

    /// Requests of one client that may be under way on a connection which it shares, before its replies are known to be
    /// small.
    public var firstSharedRequestsMax = 16

    /// A client that gets more than so many bytes at one time over a shared connection has one of its own from then on.
    public var sharedReplyBytesMax = 64 << 10

    /// How long a proxy that had something to do looks for more before it sleeps; zero: it sleeps at once.
    public var busyPollTime: Duration = .microseconds(100)

    /// The bytes of an unfinished request that may move to a newer proxy with its connection.
    public var handoverBytesMax = 32 << 10

    /// The defaults, as above.
    public init() {}

    /// The defaults.
    public static let standard = Limits()
}
