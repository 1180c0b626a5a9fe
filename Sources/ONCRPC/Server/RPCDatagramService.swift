public import NIOCore

/// A server of RPC over UDP, without its socket: each call is carried out once as far as ``RPCReplyMemory`` reaches.
public struct RPCDatagramService<Peer: Hashable & Sendable>: Sendable {
    /// What is to be done.
    public enum Action: Sendable {
        /// Nothing.
        case none
        /// Send this to the caller.
        case send(ByteBuffer)
        /// Carry this out, and give the reply to ``finish(_:with:at:)``.
        case run(RPCJob, Ticket)
    }

    /// Which call was carried out.
    public struct Ticket: Hashable, Sendable {
        let key: RPCReplyMemory<Peer>.Key
    }

    /// What happened so far.
    public private(set) var counters = RPCDatagramServiceCounters()

    private let dispatcher: RPCDispatcher
    private let datagramBytesMax: Int
    private var memory: RPCReplyMemory<Peer>

    /// A server of these programs.
    public init(_ dispatcher: RPCDispatcher, limits: RPCLimits = .standard) {
        self.dispatcher = dispatcher
        datagramBytesMax = limits.datagramBytesMax
        memory = RPCReplyMemory(limits: limits)
    }

    /// How many calls are being carried out.
    public var inProgressCount: Int { memory.inProgressCount }

    /// A call came whose header is in order.
    public mutating func receive(_ call: RPCCall, from peer: Peer, at now: Duration) -> Action {
        switch dispatcher.decide(call) {
        // To refuse twice does no harm, and takes no memory.
        case .answer(let reply): return refuse(reply)
        case .run(let job):
            switch memory.receive(call, from: peer, at: now) {
            case .new(let key):
                counters.carriedOut += 1
                return .run(job, Ticket(key: key))
            case .answered(let reply):
                counters.replayed += 1
                return .send(reply)
            case .inProgress:
                counters.duplicates += 1
                return .none
            case .busy:
                counters.busy += 1
                return .none
            }
        }
    }

    /// A call came that nobody can carry out (``RPCMessage/refused(_:)``).
    public mutating func refuse(_ reply: RPCReply) -> Action {
        counters.refused += 1
        return .send(Self.encoded(reply))
    }

    /// A call was carried out.
    ///
    /// - Returns: what to send.
    public mutating func finish(_ ticket: Ticket, with reply: RPCReply, at now: Duration) -> ByteBuffer {
        var message = Self.encoded(reply)
        if message.readableBytes > datagramBytesMax {
            counters.tooLarge += 1
            message = Self.encoded(RPCReply(xid: reply.xid, .systemError))
        }
        memory.finish(ticket.key, with: message, at: now)
        return message
    }

    private static func encoded(_ reply: RPCReply) -> ByteBuffer {
        guard let bytes = try? reply.encoded() else { preconditionFailure("a reply of ours has no verifier") }
        return bytes
    }
}

/// What happened to the calls that came to a server over UDP, since the beginning.
public struct RPCDatagramServiceCounters: Hashable, Sendable {
    /// Calls that were carried out, or are.
    public var carriedOut = 0
    /// Calls that were answered without being carried out: no such procedure, no such arguments.
    public var refused = 0
    /// Calls that came again and were answered from memory.
    public var replayed = 0
    /// Calls that came again while they were carried out, and were dropped.
    public var duplicates = 0
    /// Calls that were dropped because too many were carried out.
    public var busy = 0
    /// Replies that were too long for a datagram: SYSTEM_ERR was sent in their place.
    public var tooLarge = 0

    /// Nothing so far.
    public init() {}
}
