/// The bounds of the data plane that somebody may want to choose. Sizes are bytes, times are durations.
///
/// Beside what they bound are those that nobody has to: what the parsers of RESP take (`RespLimits`, constants because
/// they are asked with each word), the queue of clients that were not accepted yet (1024), how long a version that is down
/// is left alone before it is tried again (50 ms to 1 s), how often logs are brought to the disk (1 s), and how often a
/// proxy tells what it did (200 ms).
///
/// Nothing here grows without limit: what goes over a bound is refused, closed or held back, and counted.
public struct Limits: Sendable, Equatable {
    /// The longest ``VersionHeader``, extensions included.
    public var headerBytesMax = 1024

    /// How long a router waits for the whole header of a new connection before it treats the peer as one without.
    public var headerTimeout: Duration = .seconds(5)

    /// Connections that a node's router relays at one time; more are closed at once.
    public var relayedConnectionsMax = 16_384

    /// Threads of a router's relay, at most; it never has more than the node has cores.
    public var relayThreadsMax = 8

    /// How long a router waits before it tries again to listen on a port that somebody else has.
    public var listenRetryInterval: Duration = .milliseconds(500)

    /// Connections whose header is awaited, for each thread of the relay; the oldest makes room for one more.
    public var identifyingConnectionsMax = 1024

    /// Bytes of a connection that a `PrefixFilter` may look at before it has to decide.
    public var filterBytesMax = 1024

    /// How long a router waits for the header of a peer of which it knows nothing, before it takes it for one without.
    public var probeTimeout: Duration = .seconds(2)

    /// How long a peer is taken for one without a router before that is tried again.
    public var plainPeerLifetime: Duration = .seconds(30)

    /// Peers without a router that are remembered, for each thread of the relay; the oldest is forgotten.
    public var plainPeersMax = 1024

    /// Connections to one port of one peer's router that are kept open for use, for each thread of the relay.
    public var pooledConnectionsPerPeerMax = 8

    /// Connections to peers' routers that are kept open for use, for each thread of the relay.
    public var pooledConnectionsMax = 256

    /// How long one connection waits for use before a new one takes its place. Never more than half of
    /// ``headerTimeout``, or the peer would take it for one without a header.
    public var pooledConnectionLifetime: Duration = .seconds(2)

    /// How long connections to a peer are kept open for use although nobody connects to it.
    public var pooledIdleTimeout: Duration = .seconds(10)

    /// How long a router waits for an answer that its own header can travel with.
    public var greetingDelay: Duration = .milliseconds(50)

    /// Pipes of one thread of the relay. A connection that gets none is relayed by reading and writing.
    public var splicePipesMax = 64

    /// Pairs of a version and a peer whose traffic is counted apart; that of others is summed for each version.
    public var relayFlowsMax = 4096

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

    /// How long a client's connection may be without a request under way before it is closed; `nil`: for ever. Clients that
    /// say nothing then keep their places among ``clientConnectionsMax``, and enough of them leave none for others: set it
    /// where clients are strangers.
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

    /// Bytes of the log for a version that does not run, and may be gone back to. With a write that would go over it the log
    /// is given up, and that version can only be had as it was.
    public var replayLogBytesMax = 2 << 30

    /// How long a version may stay down, or fail every write that another does, before it is reported as failed: whoever
    /// runs the versions takes it out then.
    public var catchUpTimeout: Duration = .seconds(60)

    /// Keys that are copied or compared at one time; writes to them wait meanwhile.
    public var copiedKeysMax = 256

    /// Keys a second that are compared and copied when a version is filled, or was away; `nil`: as many as there is time for.
    public var copiedKeysPerSecond: Int?

    /// The longest header that a router puts in front of a datagram. What environments send is shorter than the host's
    /// links allow by so much, and so has room for it.
    public var datagramHeaderBytesMax = 96

    /// Conversations by datagrams that a node's router remembers; the one that was quiet for longest makes room.
    public var datagramSessionsMax = 16_384

    /// Conversations of one peer among them; datagrams that would begin more are dropped and counted.
    public var datagramSessionsOfPeerMax = 4096

    /// How long a conversation by datagrams is remembered after the last one.
    public var datagramSessionTimeout: Duration = .seconds(180)

    /// Sockets with peers' addresses that a router has for conversations; datagrams that need more are dropped and counted.
    public var datagramSocketsMax = 1024

    /// Error messages that a router sends in a second because of datagrams, and headers that it reports: the rest is
    /// counted only.
    public var datagramNoticesPerSecond = 1000

    /// Requests that came as datagrams and are under way, for each socket; more are dropped and counted.
    public var datagramRequestsMax = 4096

    /// Requests of one client that may be under way on a connection which it shares, before its replies are known to be
    /// small.
    public var firstSharedRequestsMax = 16

    /// A client that gets more than so many bytes at one time over a shared connection has one of its own from then on.
    public var sharedReplyBytesMax = 64 << 10

    /// How long a proxy or a relay that had something to do looks for more before it sleeps; zero: it sleeps at once.
    public var busyPollTime: Duration = .microseconds(100)

    /// With more connections than this on one thread a relay does not look: the processor is better used by others.
    public var relayBusyPollConnectionsMax = 32

    /// How long a client's connection that cannot move to a newer proxy, being encrypted, has to be quiet until it is closed.
    public var handoverQuietTime: Duration = .milliseconds(250)

    /// How long such a connection is served at most; then it is closed between two requests. A newer proxy's writes to
    /// several versions wait for it.
    public var handoverTimeout: Duration = .seconds(3)

    /// The bytes of an unfinished request that may move to a newer proxy with its connection.
    public var handoverBytesMax = 32 << 10

    /// The defaults, as above.
    public init() {}

    /// The defaults.
    public static let standard = Limits()
}
