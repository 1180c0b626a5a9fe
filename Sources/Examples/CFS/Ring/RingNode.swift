public import CFSModel

/// A virtual node: the ring and what is stored on it, behind one door.
///
/// Perform the actions of one event before the next one. A store that collects what is written is committed in between.
public struct RingNode<Store: BlockStore>: Sendable {
    /// Whom it knows.
    public private(set) var chord: Chord
    /// What it keeps.
    public private(set) var dhash: DHash<Store>

    /// A node that knows nobody.
    ///
    /// - Parameters:
    ///   - me: This node.
    ///   - store: What it keeps from before.
    ///   - rules: Which blocks are right.
    public init(
        me: ChordNode, store: Store, rules: any BlockRules = ContentRules(),
        chord chordParameters: ChordParameters = ChordParameters(),
        dhash dhashParameters: DHashParameters = DHashParameters()
    ) {
        chord = Chord(me: me, parameters: chordParameters)
        dhash = DHash(store: store, rules: rules, parameters: dhashParameters)
    }

    /// Begins a ring.
    public mutating func start(using random: inout some RandomNumberGenerator) -> [RingAction] {
        dhash.start(using: &random)
        return settle(chord.start(using: &random), at: .zero, using: &random)
    }

    /// Joins the ring that another node is in.
    public mutating func join(through node: ChordNode, using random: inout some RandomNumberGenerator) -> [RingAction] {
        dhash.start(using: &random)
        return settle(chord.join(through: node, using: &random), at: .zero, using: &random)
    }

    /// Somebody asks.
    ///
    /// - Parameters:
    ///   - node: Who.
    ///   - ticket: Comes back with the answer.
    public mutating func answer(
        _ request: RingRequest, from node: ChordNode, ticket: Ticket, at now: Duration,
        using random: inout some RandomNumberGenerator
    ) -> [RingAction] {
        switch request {
        case .chord(let request):
            return settle(chord.answer(request, ticket: ticket, at: now), at: now, using: &random)
        case .dhash(let request):
            let reply = dhash.answer(request, from: node, chord, at: now)
            return [.answer(ticket, .dhash(reply))] + settle([], at: now, using: &random)
        case .merkle(let request):
            let reply = dhash.answer(request, from: node, &chord, at: now)
            return [.answer(ticket, .merkle(reply))] + settle([], at: now, using: &random)
        }
    }

    /// A reply arrived; one to a question that is not open is ignored.
    public mutating func receive(
        _ reply: RingReply, to request: RequestID, at now: Duration, using random: inout some RandomNumberGenerator
    ) -> [RingAction] {
        guard chord.hasAsked(request) else {
            dhash.receive(reply, to: request, &chord, at: now, using: &random)
            return settle([], at: now, using: &random)
        }
        guard case .chord(let reply) = reply else {
            return settle(chord.receive(.failed(.noEntry), to: request, at: now), at: now, using: &random)
        }
        return settle(chord.receive(reply, to: request, at: now), at: now, using: &random)
    }

    /// There will be no reply.
    public mutating func fail(
        _ request: RequestID, at now: Duration, using random: inout some RandomNumberGenerator
    ) -> [RingAction] {
        if chord.hasAsked(request) { return settle(chord.fail(request, at: now), at: now, using: &random) }
        dhash.fail(request, &chord, at: now, using: &random)
        return settle([], at: now, using: &random)
    }

    /// A time is there that was asked for.
    public mutating func fire(
        _ timer: RingTimer, at now: Duration, using random: inout some RandomNumberGenerator
    ) -> [RingAction] {
        switch timer {
        case .chord(let timer): return settle(chord.fire(timer, at: now, using: &random), at: now, using: &random)
        case .dhash(let timer):
            dhash.fire(timer, &chord, at: now, using: &random)
            return settle([], at: now, using: &random)
        }
    }

    // What clients ask for.

    /// Finds who has an id; see `Chord.lookUp`.
    public mutating func lookUp(_ id: ChordID, wanted: Int? = nil, at now: Duration) -> (LookupID, [RingAction]) {
        let (lookup, actions) = chord.lookUp(id, wanted: wanted, at: now)
        return (lookup, actions.map(RingAction.init))
    }

    /// Stores a block on the ring.
    ///
    /// - Returns: The operation, whose end is an action `inserted`, now or later.
    public mutating func insert(
        _ data: [UInt8], _ key: BlockKey, at now: Duration, using random: inout some RandomNumberGenerator
    ) -> (OperationID, [RingAction]) {
        let operation = dhash.insert(key, data, &chord, at: now)
        return (operation, settle([], at: now, using: &random))
    }

    /// Fetches a block from the ring; what comes is what its name says.
    ///
    /// - Returns: The operation, whose end is an action `fetched`, now or later.
    public mutating func fetch(
        _ key: BlockKey, at now: Duration, using random: inout some RandomNumberGenerator
    ) -> (OperationID, [RingAction]) {
        let operation = dhash.fetch(key, &chord, at: now)
        return (operation, settle([], at: now, using: &random))
    }

    /// Lets both parts react to each other until nothing is left but what others have to do.
    private mutating func settle(
        _ actions: [ChordAction], at now: Duration, using random: inout some RandomNumberGenerator
    ) -> [RingAction] {
        var open = actions.map(RingAction.init)
        var outside: [RingAction] = []
        while true {
            open += dhash.takeActions()
            for action in open {
                if case .lookedUp(let lookup, let result) = action, dhash.isWaiting(for: lookup) {
                    dhash.lookedUp(lookup, result, &chord, at: now, using: &random)
                } else {
                    outside.append(action)
                }
            }
            open = []
            for (request, reply) in dhash.takeOwnReplies() {
                dhash.receive(reply, to: request, &chord, at: now, using: &random)
            }
            if dhash.isSettled { return outside }
        }
    }
}

extension DHash {
    mutating func takeActions() -> [RingAction] {
        defer { actions.removeAll() }
        return actions
    }

    mutating func takeOwnReplies() -> [(RequestID, RingReply)] {
        defer { own.removeAll() }
        return own
    }

    func isWaiting(for lookup: LookupID) -> Bool { lookups[lookup] != nil }

    var isSettled: Bool { actions.isEmpty && own.isEmpty }
}
