public import CFSModel
public import CFSRing

/// A ring of many virtual nodes in one process: the real state machines, a simulated network, one thread, one seed.
///
/// The same seed and the same calls give the same run.
public struct RingSimulation {
    /// How messages travel; may be changed on the way.
    public var network: Network
    /// The time since the beginning.
    public private(set) var elapsed = Duration.zero
    /// Requests sent so far.
    public private(set) var requests = 0
    /// Which blocks are right.
    public var rules: any BlockRules = ContentRules()
    /// Blocks that were stored, or not.
    public private(set) var inserts: [Operation: Result<[ChordNode], DHashFailure>] = [:]
    /// Blocks that were fetched, or not.
    public private(set) var fetches: [Operation: Result<FetchedBlock, DHashFailure>] = [:]
    /// Lookups that are over.
    public private(set) var lookups: [Lookup: Result<LookupResult, ChordFailure>] = [:]

    /// Names a lookup of a simulated node.
    public struct Lookup: Hashable, Sendable {
        let node: Int
        let id: LookupID
    }

    /// Names an operation of a simulated node.
    public struct Operation: Hashable, Sendable {
        let node: Int
        let id: OperationID
    }

    private enum Event {
        case request(to: Int, from: Int, RequestID, RingRequest, sent: Duration, isFirst: Bool)
        case reply(to: Int, RequestID, RingReply, from: ChordNode, roundTrip: Duration?)
        case failure(to: Int, RequestID)
        case timer(Int, RingTimer)
        case join(Int, through: Int?)
    }

    /// A question that is being answered.
    private struct Ask {
        let asker: Int
        let request: RequestID
        let sent: Duration
        /// Whether it arrived when it was sent first.
        let isFirst: Bool
        let node: Int
    }

    /// A simulated node.
    public typealias Node = RingNode

    private let parameters: ChordParameters
    private let dhash: DHashParameters
    private var random: SeededRandom
    private var queue = EventQueue<Event>()
    private var nodes: [Node?] = []
    /// Those that others may join through: whoever has joined.
    private var doors: [Int] = []
    private var places: [Network.Place] = []
    private var tickets: [UInt64: Ask] = [:]
    private var lastTicket: UInt64 = 0

    /// A simulation without nodes.
    public init(
        seed: UInt64, network: Network = Network(), parameters: ChordParameters = ChordParameters(),
        dhash: DHashParameters = DHashParameters()
    ) {
        self.dhash = dhash
        random = SeededRandom(seed: seed)
        self.network = network
        self.parameters = parameters
    }

    // Nodes.

    /// Indices of the nodes that live.
    public var living: [Int] { nodes.indices.filter { nodes[$0] != nil } }

    /// A node; nil if it does not live (yet).
    public func node(_ index: Int) -> Node? { nodes[index] }

    /// Adds a node that joins at a time through one that lives by then.
    ///
    /// - Returns: Its index.
    @discardableResult
    public mutating func add(at time: Duration, through other: Int? = nil) -> Int {
        let index = nodes.count
        nodes.append(nil)
        places.append(network.place(using: &random))
        queue.plan(.join(index, through: other), at: time)
        return index
    }

    /// A node is gone from elapsed on, with all that it knew.
    public mutating func kill(_ index: Int) {
        nodes[index] = nil
        for number in tickets.keys.sorted() {
            guard let ask = tickets[number], ask.node == index else { continue }
            tickets[number] = nil
            queue.plan(.failure(to: ask.asker, ask.request), at: max(elapsed, ask.sent + network.patience))
        }
    }

    /// Where a simulated node is: an address for each index.
    public static func address(_ index: Int) -> NodeAddress? {
        NodeAddress(ipv4: 0x0A00_0001 + UInt32(index), port: 10_000, virtualNode: 0)
    }

    private static func index(_ node: ChordNode) -> Int? {
        node.address.ipv4 > 0x0A00_0000 ? Int(node.address.ipv4 - 0x0A00_0001) : nil
    }

    // Time.

    /// Lets this much time pass.
    public mutating func run(for duration: Duration) {
        let end = elapsed + duration
        while let time = queue.nextTime, time <= end { step() }
        elapsed = end
    }

    /// Lets time pass until `isOver`, but not for longer than `limit`.
    public mutating func run(atMost limit: Duration, until isOver: (inout Self) -> Bool) {
        let end = elapsed + limit
        while !isOver(&self), let time = queue.nextTime, time <= end { step() }
    }

    private mutating func step() {
        guard let (time, event) = queue.next() else { return }
        elapsed = time
        switch event {
        case .join(let index, let through): join(index, through: through)
        case .timer(let index, let timer): with(index) { $0.fire(timer, at: $2, using: &$1) }
        case .reply(let index, let request, let reply, let node, let roundTrip):
            with(index) { $0.receive(reply, to: request, from: node, roundTrip: roundTrip, at: $2, using: &$1) }
        case .failure(let index, let request): with(index) { $0.fail(request, at: $2, using: &$1) }
        case .request(let index, let asker, let request, let question, let sent, let isFirst):
            guard nodes.indices.contains(index), nodes[index] != nil, let from = Self.address(asker) else {
                queue.plan(.failure(to: asker, request), at: max(elapsed, sent + network.patience))
                return
            }
            lastTicket += 1
            tickets[lastTicket] = Ask(asker: asker, request: request, sent: sent, isFirst: isFirst, node: index)
            let ticket = Ticket(lastTicket)
            let asking = nodes[asker]?.chord.me ?? ChordNode(from)
            with(index) { $0.answer(question, from: asking, ticket: ticket, at: $2, using: &$1) }
        }
    }

    private mutating func join(_ index: Int, through other: Int?) {
        guard let address = Self.address(index) else { return }
        nodes[index] = Node(me: ChordNode(address), store: MemoryStore(), rules: rules, chord: parameters, dhash: dhash)
        let door = other ?? anyone(but: index)
        if let door, let node = Self.address(door).map({ ChordNode($0) }) {
            with(index) { node_, random, _ in node_.join(through: node, using: &random) }
        } else {
            doors.append(index)
            with(index) { node, random, _ in node.start(using: &random) }
        }
    }

    /// Some other node that has joined and lives.
    private mutating func anyone(but index: Int) -> Int? {
        while let place = doors.indices.randomElement(using: &random) {
            if nodes[doors[place]] != nil, doors[place] != index { return doors[place] }
            doors.swapAt(place, doors.count - 1)
            doors.removeLast()
        }
        return nil
    }

    /// Lets a node do something, and does what it then wants.
    private mutating func with(_ index: Int, _ body: (inout Node, inout SeededRandom, Duration) -> [RingAction]) {
        guard nodes[index] != nil else { return }
        // Taken out for the time, so that it is not copied.
        guard var node = nodes[index].take() else { return }
        let actions = body(&node, &random, elapsed)
        nodes[index] = node
        for action in actions { perform(action, of: index) }
    }

    private mutating func perform(_ action: RingAction, of index: Int) {
        switch action {
        case .wake(let timer, let delay): queue.plan(.timer(index, timer), at: elapsed + delay)
        case .ask(let request, let node, let question):
            requests += 1
            guard let target = Self.index(node), target < places.count, let late = network.delayByLoss(using: &random)
            else {
                queue.plan(.failure(to: index, request), at: elapsed + network.patience)
                return
            }
            let way = network.way(from: places[index], to: places[target])
            let event = Event.request(
                to: target, from: index, request, question, sent: elapsed, isFirst: late == .zero)
            queue.plan(event, at: elapsed + way + late)
        case .answer(let ticket, let reply):
            guard let ask = tickets.removeValue(forKey: ticket.number), let answering = nodes[index] else { return }
            guard let late = network.delayByLoss(using: &random) else {
                queue.plan(.failure(to: ask.asker, ask.request), at: max(elapsed, ask.sent + network.patience))
                return
            }
            let way = network.way(from: places[ask.node], to: places[ask.asker])
            let end = elapsed + way + late
            let event = Event.reply(
                to: ask.asker, ask.request, reply, from: answering.chord.me,
                roundTrip: ask.isFirst && late == .zero ? end - ask.sent : nil)
            queue.plan(event, at: end)
        case .lookedUp(let lookup, let result): lookups[Lookup(node: index, id: lookup)] = result
        case .inserted(let operation, let result): inserts[Operation(node: index, id: operation)] = result
        case .fetched(let operation, let result): fetches[Operation(node: index, id: operation)] = result
        case .joined: doors.append(index)
        case .joinFailed: break
        }
    }

    // What clients do.

    /// A node looks an id up.
    public mutating func lookUp(_ id: ChordID, from index: Int, wanted: Int? = nil) -> Lookup? {
        guard var node = nodes[index].take() else { return nil }
        let (lookup, actions) = node.lookUp(id, wanted: wanted, at: elapsed)
        nodes[index] = node
        for action in actions { perform(action, of: index) }
        return Lookup(node: index, id: lookup)
    }

    /// What became of a lookup; forgets it.
    public mutating func takeResult(of lookup: Lookup) -> Result<LookupResult, ChordFailure>? {
        lookups.removeValue(forKey: lookup)
    }

    /// A node stores a block.
    public mutating func insert(
        _ data: [UInt8], _ key: BlockKey, expiration: UInt32 = 0, from index: Int
    ) -> Operation? {
        guard var node = nodes[index].take() else { return nil }
        let (operation, actions) = node.insert(data, key, expiration: expiration, at: elapsed, using: &random)
        nodes[index] = node
        for action in actions { perform(action, of: index) }
        return Operation(node: index, id: operation)
    }

    /// A node fetches a block.
    public mutating func fetch(_ key: BlockKey, from index: Int) -> Operation? {
        guard var node = nodes[index].take() else { return nil }
        let (operation, actions) = node.fetch(key, at: elapsed, using: &random)
        nodes[index] = node
        for action in actions { perform(action, of: index) }
        return Operation(node: index, id: operation)
    }

    /// What became of a block that was to be stored; forgets it.
    public mutating func takeInsert(_ operation: Operation) -> Result<[ChordNode], DHashFailure>? {
        inserts.removeValue(forKey: operation)
    }

    /// What became of a block that was to be fetched; forgets it.
    public mutating func takeFetch(_ operation: Operation) -> Result<FetchedBlock, DHashFailure>? {
        fetches.removeValue(forKey: operation)
    }

    /// A random block.
    public mutating func randomBlock(length: Int) -> [UInt8] {
        (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    /// A random number, 0 up to 1.
    mutating func chance() -> Double { Double.random(in: 0..<1, using: &random) }

    /// A random id.
    public mutating func randomID() -> ChordID { ChordID(using: &random) }

    /// Some of the nodes that live.
    public mutating func randomLiving(_ count: Int) -> [Int] { Array(living.shuffled(using: &random).prefix(count)) }
}
