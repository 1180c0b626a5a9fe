public import CFSModel

/// Whatever virtual nodes ask each other.
public enum RingRequest: Equatable, Sendable {
    /// To keep the ring, or find the way.
    case chord(ChordRequest)
    /// About blocks.
    case dhash(DHashRequest)
    /// About which keys are there.
    case merkle(MerkleRequest)
}

/// Whatever they answer.
public enum RingReply: Equatable, Sendable {
    /// To a `chord` request.
    case chord(ChordReply)
    /// To a `dhash` request.
    case dhash(DHashReply)
    /// To a `merkle` request.
    case merkle(MerkleReply)
}

/// Whatever wakes a virtual node.
public enum RingTimer: Hashable, Sendable {
    /// One of the ring.
    case chord(ChordTimer)
    /// One of the keeper of blocks.
    case dhash(DHashTimer)
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
    /// A block that was to be stored is, and how it was found where; or it is not.
    case inserted(OperationID, Result<[ChordNode], DHashFailure>)
    /// A block that was to be fetched, or why it was not.
    case fetched(OperationID, Result<FetchedBlock, DHashFailure>)
    /// The node has neighbours now.
    case joined
    /// Nobody answered who could say where this node belongs; it tries again.
    case joinFailed
}

extension RingAction {
    init(_ action: ChordAction) {
        switch action {
        case .ask(let request, let node, let question): self = .ask(request, node, .chord(question))
        case .answer(let ticket, let reply): self = .answer(ticket, .chord(reply))
        case .wake(let timer, let delay): self = .wake(.chord(timer), after: delay)
        case .lookedUp(let lookup, let result): self = .lookedUp(lookup, result)
        case .joined: self = .joined
        case .joinFailed: self = .joinFailed
        }
    }
}
