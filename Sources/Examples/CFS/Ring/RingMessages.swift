public import CFSModel

/// Whatever virtual nodes ask each other.
public enum RingRequest: Equatable, Sendable {
    /// To keep the ring, or find the way.
    case chord(ChordRequest)
}

/// Whatever they answer.
public enum RingReply: Equatable, Sendable {
    /// To a `chord` request.
    case chord(ChordReply)
}

/// Whatever wakes a virtual node.
public enum RingTimer: Hashable, Sendable {
    /// One of the ring.
    case chord(ChordTimer)
}

/// Whatever a virtual node wants to have done.
public enum RingAction: Equatable, Sendable {
    /// Ask this node; tell its reply by `receive(_:to:)`, or that there was none by `fail(_:)`.
    case ask(RequestID, ChordNode, RingRequest)
    /// Answer the question with this ticket.
    case answer(Ticket, RingReply)
    /// Call `fire` with this timer so much later.
    case wake(RingTimer, after: Duration)
    /// A lookup that was asked for is over.
    case lookedUp(LookupID, Result<LookupResult, ChordFailure>)
    /// The node has neighbours now.
    case joined
    /// Nobody answered who could say where this node belongs; it tries again.
    case joinFailed
}
