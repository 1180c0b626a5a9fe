public import CFSModel

/// A virtual node: the ring and what is stored on it, behind one door.
public struct RingNode: Sendable {
    /// Whom it knows.
    public private(set) var chord: Chord

    /// A node that knows nobody and stores nothing.
    public init(me: ChordNode, chord parameters: ChordParameters = ChordParameters()) {
        chord = Chord(me: me, parameters: parameters)
    }

    /// Begins a ring.
    public mutating func start(using random: inout some RandomNumberGenerator) -> [RingAction] {
        route(chord.start(using: &random))
    }

    /// Joins the ring that another node is in.
    public mutating func join(through node: ChordNode, using random: inout some RandomNumberGenerator) -> [RingAction] {
        route(chord.join(through: node, using: &random))
    }

    /// Somebody asks.
    public mutating func answer(
        _ request: RingRequest, from node: ChordNode, ticket: Ticket, at now: Duration,
        using random: inout some RandomNumberGenerator
    ) -> [RingAction] {
        switch request {
        case .chord(let request): route(chord.answer(request, ticket: ticket, at: now))
        }
    }

    /// A reply arrived; one to a question that is not open is ignored.
    public mutating func receive(
        _ reply: RingReply, to request: RequestID, at now: Duration, using random: inout some RandomNumberGenerator
    ) -> [RingAction] {
        switch reply {
        case .chord(let reply): route(chord.receive(reply, to: request, at: now))
        }
    }

    /// There will be no reply.
    public mutating func fail(
        _ request: RequestID, at now: Duration, using random: inout some RandomNumberGenerator
    ) -> [RingAction] {
        route(chord.fail(request, at: now))
    }

    /// A time is there that was asked for.
    public mutating func fire(
        _ timer: RingTimer, at now: Duration, using random: inout some RandomNumberGenerator
    ) -> [RingAction] {
        switch timer {
        case .chord(let timer): route(chord.fire(timer, at: now, using: &random))
        }
    }

    /// Finds who has an id; see `Chord.lookUp`.
    public mutating func lookUp(_ id: ChordID, wanted: Int? = nil, at now: Duration) -> (LookupID, [RingAction]) {
        let (lookup, actions) = chord.lookUp(id, wanted: wanted, at: now)
        return (lookup, route(actions))
    }

    private mutating func route(_ actions: [ChordAction]) -> [RingAction] {
        actions.map { action in
            switch action {
            case .ask(let request, let node, let question): .ask(request, node, .chord(question))
            case .answer(let ticket, let reply): .answer(ticket, .chord(reply))
            case .wake(let timer, let delay): .wake(.chord(timer), after: delay)
            case .lookedUp(let lookup, let result): .lookedUp(lookup, result)
            case .joined: .joined
            case .joinFailed: .joinFailed
            }
        }
    }
}
