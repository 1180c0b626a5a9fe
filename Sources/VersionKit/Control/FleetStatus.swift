/// What a node and its peers told each other since versiond began, without an application's connection.
public struct FleetStatus: Codable, Sendable, Equatable {
    /// Whether this node has the fleet's key. Without it nothing is told, and what is told here is refused.
    public var hasKey: Bool
    /// For how many seconds a peer may be silent before it is forgotten.
    public var peerSilenceSeconds: UInt32
    /// Peers that were forgotten, for their silence or by an operator.
    public var forgotten: UInt64
    /// Messages that peers took.
    public var told: UInt64
    /// Peers that still have to be told.
    public var waiting: Int
    /// Tries to tell a peer that failed.
    public var failed: UInt64
    /// Peers that were given up until they are heard again.
    public var givenUp: UInt64
    /// Peers that were not told because too many waited.
    public var dropped: UInt64
    /// Messages of peers that were taken.
    public var received: UInt64
    /// Messages of peers that were refused, by reason.
    public var refused: [String: UInt64]
    /// Newer versions that were advertised from addresses which did not prove to belong to the fleet; `nil` from a versiond
    /// that does not count them.
    public var strangersAdverts: UInt64?

    /// A status.
    public init(
        hasKey: Bool, peerSilenceSeconds: UInt32, forgotten: UInt64, told: UInt64, waiting: Int, failed: UInt64,
        givenUp: UInt64, dropped: UInt64, received: UInt64, refused: [String: UInt64],
        strangersAdverts: UInt64? = nil
    ) {
        self.hasKey = hasKey
        self.peerSilenceSeconds = peerSilenceSeconds
        self.forgotten = forgotten
        self.told = told
        self.waiting = waiting
        self.failed = failed
        self.givenUp = givenUp
        self.dropped = dropped
        self.received = received
        self.refused = refused
        self.strangersAdverts = strangersAdverts
    }
}
