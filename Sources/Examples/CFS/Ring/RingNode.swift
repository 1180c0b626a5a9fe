public import CFSModel

/// A virtual node: the ring and what is stored on it, behind one door.
///
/// Perform the actions of one event before the next one. A store that collects what is written is committed in between.
public struct RingNode: Sendable {
    /// Whom it knows.
    public private(set) var chord: Chord
    /// What it keeps.
    public private(set) var dhash: DHash

    /// A node that knows nobody.
    ///
    /// - Parameters:
    ///   - me: This node.
    ///   - store: What it keeps from before.
    ///   - rules: Which blocks are right.
    public init(
        me: ChordNode, store: any BlockStore, rules: any BlockRules = ContentRules(),
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
        chord.heard(node)
        chord.noteLife(of: node, at: now)
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

    /// A reply arrived, and it is known from whom and how long it took.
    ///
    /// - Parameters:
    ///   - node: Who answered, with the coordinates that came with the reply.
    ///   - roundTrip: How long the reply took; nil if the question was sent more than once, because nobody knows then which
    ///     one was answered. What a node answers only when it has asked others itself is not taken for a measurement.
    public mutating func receive(
        _ reply: RingReply, to request: RequestID, from node: ChordNode, roundTrip: Duration?, at now: Duration,
        using random: inout some RandomNumberGenerator
    ) -> [RingAction] {
        if chord.hasAsked(request) || dhash.hasAsked(request) {
            chord.heard(node)
            if let roundTrip, !chord.asksForMore(request) { chord.measured(roundTrip, to: node, using: &random) }
        }
        return receive(reply, to: request, at: now, using: &random)
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
    /// - Parameter expiration: Until when it is to be kept, in seconds since 1970; 0: for ever. Storing it again with a later
    ///   time prolongs it; generation 1 keeps everything.
    /// - Returns: The operation, whose end is an action `inserted`, now or later.
    public mutating func insert(
        _ data: [UInt8], _ key: BlockKey, expiration: UInt32 = 0, at now: Duration,
        using random: inout some RandomNumberGenerator
    ) -> (OperationID, [RingAction]) {
        let operation = dhash.insert(key, data, until: expiration, &chord, at: now)
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

    /// Tells it what time it is, by which blocks expire; the parameters say it for the beginning.
    ///
    /// - Parameter seconds: Since 1970.
    public mutating func setTimeOfDay(_ seconds: Int64, at now: Duration) { dhash.setTimeOfDay(seconds, at: now) }

    /// The store could not keep what it had accepted, and has again what it had before.
    ///
    /// Whoever performs the actions does not tell anybody that it was kept.
    ///
    /// - Parameter keys: What was written or removed in vain.
    public mutating func undo(_ keys: [BlockKey]) { dhash.undo(keys) }

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

    func hasAsked(_ request: RequestID) -> Bool { pending[request] != nil }

    func isWaiting(for lookup: LookupID) -> Bool { lookups[lookup] != nil }

    var isSettled: Bool { actions.isEmpty && own.isEmpty }
}
