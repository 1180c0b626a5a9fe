public import NIOCore

/// A client's calls that wait for their replies, by one socket: sends them again, gives them up, and tells replies from
/// what nobody asked for (RFC 5531, section 4).
///
/// A value without sockets and clocks: times are durations since a beginning that the owner chooses. `Peer` is where a call
/// goes to; on a stream there is only one. A reply counts only if it comes from where its call went.
public struct RPCWaitingCalls<Peer: Hashable & Sendable>: Sendable {
    /// Which call.
    public struct ID: Hashable, Sendable {
        /// Where it goes to.
        public var peer: Peer
        /// Its number there.
        public var xid: UInt32
    }

    /// What came.
    public enum Received: Hashable, Sendable {
        /// The reply to a call, which waits no longer.
        case reply(ID, RPCReply)
        /// Another reply to a call that waits no longer.
        case duplicate
        /// A reply to a call that was never made, or of a server that was not asked.
        case unknown
    }

    /// What the time asks for.
    public enum Action: Hashable, Sendable {
        /// Send the call once more.
        case send(ByteBuffer, to: Peer)
        /// The call was sent so often in vain; it waits no longer.
        case giveUp(ID, attempts: Int)
    }

    /// Calls that wait no longer and are still known, to tell late replies from invented ones.
    public static var rememberedMax: Int { 1024 }

    private struct Waiting: Sendable {
        var message: ByteBuffer
        var patience: RPCPatience
        var attempts: Int
        var deadline: Duration
    }

    /// What happened so far.
    public private(set) var counters = RPCClientCounters()

    /// Bytes of the calls that wait.
    public private(set) var bytes = 0

    private let limits: RPCLimits
    private var waiting: [ID: Waiting] = [:]
    private var finished: Set<ID> = []
    private var finishedOrder = CircularBuffer<ID>()

    /// No calls.
    public init(limits: RPCLimits = .standard) { self.limits = limits }

    /// How many calls wait.
    public var count: Int { waiting.count }

    /// Makes a call, which gets a number of its own.
    ///
    /// - Parameter encode: gives the message for that number.
    /// - Returns: which call it is, the message to send, and when ``advance(to:)`` is to be called at the latest; `nil`: too
    ///   many calls, or too large ones, wait already.
    public mutating func start<Failure: Error>(
        to peer: Peer, patience: RPCPatience, at now: Duration, using random: inout some RandomNumberGenerator,
        _ encode: (UInt32) throws(Failure) -> ByteBuffer
    ) throws(Failure) -> (id: ID, message: ByteBuffer, deadline: Duration)? {
        guard waiting.count < limits.waitingCallsMax else { return nil }
        // Nobody who does not see the call can guess its number.
        var id = ID(peer: peer, xid: random.next())
        while waiting[id] != nil || finished.contains(id) { id.xid = random.next() }
        let message = try encode(id.xid)
        guard bytes + message.readableBytes <= limits.waitingBytesMax else { return nil }
        bytes += message.readableBytes
        let deadline = now + patience.wait(afterAttempt: 1)
        waiting[id] = Waiting(message: message, patience: patience, attempts: 1, deadline: deadline)
        counters.calls += 1
        return (id, message, deadline)
    }

    /// A reply came.
    public mutating func receive(_ reply: RPCReply, from peer: Peer) -> Received {
        let id = ID(peer: peer, xid: reply.xid)
        if finish(id) { return .reply(id, reply) }
        if finished.contains(id) {
            counters.duplicateReplies += 1
            return .duplicate
        }
        counters.unknownReplies += 1
        return .unknown
    }

    /// Nobody waits for this call any more.
    ///
    /// - Returns: whether it waited.
    @discardableResult
    public mutating func cancel(_ id: ID) -> Bool { finish(id) }

    /// Nobody waits for any call any more.
    public mutating func cancelAll() -> [ID] {
        let all = Array(waiting.keys)
        for id in all { _ = finish(id) }
        return all
    }

    /// It is this late.
    ///
    /// - Returns: what is to be done, and when to call again; `nil`: when nothing waits.
    /// - Complexity: O(calls that wait). To be called at a deadline, not at every event.
    public mutating func advance(to now: Duration) -> (actions: [Action], next: Duration?) {
        var actions: [Action] = []
        var next: Duration?
        for (id, call) in waiting {
            var call = call
            if call.deadline <= now {
                guard call.attempts < call.patience.attempts else {
                    _ = finish(id)
                    counters.timedOut += 1
                    actions.append(.giveUp(id, attempts: call.attempts))
                    continue
                }
                call.attempts += 1
                // From now on, not from when it was due: who was late does not send twice at a time.
                call.deadline = now + call.patience.wait(afterAttempt: call.attempts)
                waiting[id] = call
                counters.resent += 1
                actions.append(.send(call.message, to: id.peer))
            }
            next = next.map { min($0, call.deadline) } ?? call.deadline
        }
        return (actions, next)
    }

    private mutating func finish(_ id: ID) -> Bool {
        guard let call = waiting.removeValue(forKey: id) else { return false }
        bytes -= call.message.readableBytes
        if finishedOrder.count >= Self.rememberedMax, let oldest = finishedOrder.popFirst() { finished.remove(oldest) }
        finishedOrder.append(id)
        finished.insert(id)
        return true
    }
}

/// What happened to the calls of a client, since the beginning.
public struct RPCClientCounters: Hashable, Sendable {
    /// Calls that were made.
    public var calls = 0
    /// Messages that were sent because no reply came to the one before.
    public var resent = 0
    /// Calls that were given up because no reply came at all.
    public var timedOut = 0
    /// Replies to calls that had been answered, given up or cancelled.
    public var duplicateReplies = 0
    /// Replies to calls that were never made, or of servers that were not asked.
    public var unknownReplies = 0

    /// Nothing so far.
    public init() {}
}
