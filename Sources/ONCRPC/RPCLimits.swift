/// What a server or client of RPC holds at most. Nothing of what others send grows beyond these.
public struct RPCLimits: Hashable, Sendable {
    /// Bytes of a record of a stream, those of its fragments together. CFS's: 1024 * 1025.
    public var recordBytesMax = 1024 * 1025
    /// Fragments of a record: whoever sends them empty sends many before the bytes are too many.
    public var fragmentsMax = 4096
    /// Bytes of a message by UDP: what IPv4 can carry.
    public var datagramBytesMax = 65_507
    /// Calls that a server carries out at a time for a UDP socket. Those beyond are dropped: their senders send them again.
    public var servedCallsMax = 256
    /// Calls that a server carries out at a time for a connection. It is read no further meanwhile.
    public var connectionCallsMax = 32
    /// Calls of a client that wait for their replies at a time, for each connection or UDP socket.
    public var waitingCallsMax = 4096
    /// Bytes of these calls.
    public var waitingBytesMax = 64 * 1024 * 1024
    /// Connections of a server, for each of its sockets. One more is closed at once.
    public var connectionsMax = 500
    /// Replies that a server over UDP remembers for calls that come once more.
    public var rememberedRepliesMax = 4096
    /// Bytes of these replies.
    public var rememberedBytesMax = 16 * 1024 * 1024
    /// How long they are remembered: longer than a client sends its call again (``RPCPatience``).
    public var rememberedTime = Duration.seconds(120)
    /// How long a connection of a server may be silent in both directions, calls that are carried out included.
    public var idleTime = Duration.seconds(600)
    /// How long a record may take to come, from its first byte to its last.
    public var recordTime = Duration.seconds(30)

    /// The defaults.
    public init() {}

    /// The defaults.
    public static let standard = RPCLimits()
}
