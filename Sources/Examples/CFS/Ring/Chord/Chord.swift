public import CFSModel

/// One virtual node of a ring of generation 1: whom it knows, and how it finds others (Chord as of CFS 2004).
///
/// A value without sockets and clocks. Events come in with the time since some beginning, which only grows; what is to be done
/// comes out as actions. Who calls it performs them in order and repeats nothing: how often a question is sent before there is no
/// answer is the transport's.
public struct Chord: Sendable {
    /// This node.
    public internal(set) var me: ChordNode
    /// How it was configured.
    public let parameters: ChordParameters

    /// What an open question is for.
    enum Purpose: Sendable {
        case hop(LookupID)
        case join
        case successorOf
        case predecessorOf(ChordNode)
        case successorList(ChordNode)
        case predecessorList
        case ping
        case revival(ChordNode)
        case fingerPredecessor(Int, ChordNode)
        case fingers
        case check
        /// A question of generation 2 on its way.
        case route(ForwardID)
    }

    var table: LocationTable
    var lookups: [LookupID: Lookup] = [:]
    var lookupsForOthers = 0
    var pending: [RequestID: (node: ChordNode, purpose: Purpose)] = [:]
    var dead: [DeadNode] = []
    var stability = Stability()
    var continuous: StabilizationClock
    var backoff: StabilizationClock
    var actions: [ChordAction] = []
    // Of generation 2.
    var vivaldi = Vivaldi()
    var fingers2: FingerSlots
    /// The mean round trip to fingers, in microseconds; before anything is measured any number will do.
    var usualRoundTrip = 100_000.0
    /// Who has been asked and is late.
    var suspects: Set<ChordID> = []
    var forwards: [ForwardID: Forward] = [:]
    var lastForward: UInt64 = 0
    var routeNumbers: [UInt32: LookupID] = [:]
    var routeSecret: UInt64 = 0
    private var bootstrap: ChordNode?
    private var isRunning = false
    private var lastRequest: UInt64 = 0
    private var lastLookup: UInt64 = 0

    /// A node that knows nobody.
    public init(me: ChordNode, parameters: ChordParameters = ChordParameters()) {
        self.me = me
        self.parameters = parameters
        table = LocationTable(me: me, parameters: parameters)
        fingers2 = FingerSlots(me: me.id)
        continuous = StabilizationClock(parameters.continuous)
        backoff = StabilizationClock(parameters.backoff)
    }

    // Whom it knows.

    /// The first node behind this one; this one if it is alone.
    public var successor: ChordNode { table.successor(of: me.id.next) }

    /// The first node before this one; this one if it is alone.
    public var predecessor: ChordNode { table.predecessors(of: me.id, count: 1).first ?? me }

    /// The nodes behind this one, 16 at most, the nearest first, without this one.
    public var successors: [ChordNode] { table.successors(of: me.id, count: parameters.neighbours) }

    /// The nodes before this one, 16 at most, the nearest first, without this one.
    public var predecessors: [ChordNode] { table.predecessors(of: me.id, count: parameters.neighbours) }

    /// The different nodes that fingers point to, the nearest first.
    public var fingers: [ChordNode] {
        if parameters.routing == .recursive { return fingers2.entries.map(\.node) }
        var fingers: [ChordNode] = []
        for exponent in 0..<ChordID.bitCount {
            let finger = finger(exponent)
            if finger.id != (fingers.last ?? me).id { fingers.append(finger) }
        }
        return fingers
    }

    /// Whether this node is the one that has `id`.
    public func isResponsible(for id: ChordID) -> Bool { id.isBehind(predecessor.id, upTo: me.id) }

    /// Whether it is known that a node does not answer.
    public func isDead(_ node: ChordNode) -> Bool { table.isDead(node.id) }

    /// All nodes that it has in mind, and since when those that do not answer have not.
    public var locations: [(node: ChordNode, deadSince: Duration?)] { table.all }

    /// How many nodes the ring has, by how close together the successors are.
    public var estimatedNodes: Int {
        let successors = successors
        guard let last = successors.last else { return 1 }
        return max(successors.count + 1, Int(Double(successors.count) / (last.id &- me.id).fraction))
    }

    /// The first node half, a quarter, an eighth... of the circle away, and so on.
    func finger(_ exponent: Int) -> ChordNode { table.successor(of: me.id &+ .power(ofTwo: exponent)) }

    // Life.

    /// Begins a ring, or waits for one: others can join through this node.
    public mutating func start(using random: inout some RandomNumberGenerator) -> [ChordAction] {
        run(using: &random)
        return takeActions()
    }

    /// Joins the ring that `node` is in.
    public mutating func join(through node: ChordNode, using random: inout some RandomNumberGenerator) -> [ChordAction]
    {
        bootstrap = node
        run(using: &random)
        ask(node, .findRoute(me.id.previous, withSuccessors: true), for: .join)
        return takeActions()
    }

    private mutating func run(using random: inout some RandomNumberGenerator) {
        guard !isRunning else { return }
        isRunning = true
        routeSecret = UInt64.random(in: 0...UInt64.max, using: &random)
        actions.append(.wake(.continuous, after: continuous.delay(using: &random)))
        actions.append(.wake(.backoff, after: backoff.delay(using: &random)))
        // Not all nodes at once.
        actions.append(
            .wake(.checkDead, after: parameters.checkDead * Int64.random(in: 0...1000, using: &random) / 1000))
        actions.append(.wake(.firstFingers, after: parameters.retry))
    }

    /// A time is there that was asked for.
    public mutating func fire(
        _ timer: ChordTimer, at now: Duration, using random: inout some RandomNumberGenerator
    ) -> [ChordAction] {
        switch timer {
        case .continuous:
            let isBusy = stability.continuousOpen > 0
            continuous.advance(isBusy: isBusy)
            if !isBusy { stabilizeNeighbours() }
            actions.append(.wake(.continuous, after: continuous.delay(using: &random)))
        case .backoff:
            let isBusy = stability.backoffOpen > 0
            backoff.advance(isBusy: isBusy, isStable: isStable)
            if !isBusy { stabilizeLists(at: now) }
            actions.append(.wake(.backoff, after: backoff.delay(using: &random)))
        case .checkDead:
            checkDeadNodes(at: now)
            actions.append(.wake(.checkDead, after: parameters.checkDead))
        case .firstFingers:
            askForFirstFingers()
        case .route(let lookup, let attempt): routeTimedOut(lookup, attempt: attempt, at: now)
        case .hop(let forward): refused(forward, isLate: true, at: now)
        case .join:
            if let bootstrap, successor.id == me.id {
                ask(bootstrap, .findRoute(me.id.previous, withSuccessors: true), for: .join)
            }
        }
        return takeActions()
    }

    // Questions and answers.

    /// A new name for a question; the layers above this one take theirs from here too.
    public mutating func nextRequest() -> RequestID {
        lastRequest += 1
        return RequestID(number: lastRequest)
    }

    mutating func nextLookup() -> LookupID {
        lastLookup += 1
        return LookupID(number: lastLookup)
    }

    /// Whether a question was asked by this layer.
    public func hasAsked(_ request: RequestID) -> Bool { pending[request] != nil }

    mutating func ask(_ node: ChordNode, _ request: ChordRequest, for purpose: Purpose) {
        let id = nextRequest()
        pending[id] = (node, purpose)
        actions.append(.ask(id, node, request))
    }

    /// A reply arrived. One to a question that was never asked, or answered before, is ignored.
    public mutating func receive(
        _ reply: ChordReply, to request: RequestID, at now: Duration
    ) -> [ChordAction] {
        guard let (node, purpose) = pending.removeValue(forKey: request) else { return [] }
        suspects.remove(node.id)
        take(reply, from: node, for: purpose, at: now)
        return takeActions()
    }

    /// There is no reply and will be none: the node does not answer, so it is dead until somebody hears of it again.
    public mutating func fail(_ request: RequestID, at now: Duration) -> [ChordAction] {
        guard let (node, purpose) = pending.removeValue(forKey: request) else { return [] }
        bury(node, at: now)
        missed(purpose, of: node, at: now)
        return takeActions()
    }

    /// The layer above got no answer from a node.
    public mutating func noteFailure(of node: ChordNode, at now: Duration) { bury(node, at: now) }

    /// A node asks, so it lives. Others' word that a dead one does is not believed at once, its own is: it may have been started
    /// again.
    mutating func noteLife(of node: ChordNode, at now: Duration) {
        if table.isDead(node.id) { table.markAlive(node, at: now) }
    }

    private mutating func take(_ reply: ChordReply, from node: ChordNode, for purpose: Purpose, at now: Duration) {
        switch (purpose, reply) {
        case (.hop(let lookup), _): takeHop(reply, lookup, at: now)
        case (.route(let forward), _): passed(forward, reply, at: now)
        case (.join, .nodes(let nodes)) where !nodes.isEmpty:
            let others = nodes.prefix(CFSLimits.nodesPerList).filter { $0.id != me.id }
            for node in others { table.insert(node, at: now) }
            if successor.id != me.id { ask(successor, .notify(me), for: .check) }
            actions.append(.joined)
        case (.join, _): joinLater()
        case (.revival(let node), _):
            table.markAlive(node, at: now)
            if successor.id != me.id { ask(successor, .notify(me), for: .check) }
        default: stabilized(by: reply, from: node, for: purpose, at: now)
        }
    }

    private mutating func missed(_ purpose: Purpose, of node: ChordNode, at now: Duration) {
        switch purpose {
        case .hop(let lookup): failHop(lookup, at: now)
        case .route(let forward): refused(forward, at: now)
        case .join: joinLater()
        case .revival(let node): remember(node, at: now)
        default: unstable(purpose, of: node, at: now)
        }
    }

    private mutating func joinLater() {
        actions.append(.joinFailed)
        actions.append(.wake(.join, after: parameters.retry))
    }

    mutating func takeActions() -> [ChordAction] {
        defer { actions.removeAll() }
        return actions
    }
}
