import CFSModel

/// The keeper of blocks at one virtual node: what it keeps for the ring, and what it does for clients (DHash as of CFS 2004).
///
/// A value like `Chord`, on which it stands: it asks it where blocks belong. What both want to have done comes out of
/// `RingNode`.
public struct DHash: Sendable {
    /// How it was configured.
    public let parameters: DHashParameters
    /// What it keeps.
    public internal(set) var store: any BlockStore
    /// The names of the fragments that it keeps.
    public internal(set) var tree: MerkleTree
    /// What it counted since it began.
    public internal(set) var counters = DHashCounters()

    /// What an open question is for.
    enum Purpose: Sendable {
        case upload(UInt64)
        case download(UInt64, start: Int)
        case sync(UInt64)
        case offer
    }

    /// What a lookup of the ring is for.
    enum LookupPurpose: Sendable {
        case insert(OperationID)
        case fetch(OperationID)
        case master(BlockKey)
        case misplaced(ChordID)
    }

    let rules: any BlockRules
    var pending: [RequestID: (node: ChordNode, purpose: Purpose)] = [:]
    var lookups: [LookupID: LookupPurpose] = [:]
    var inserts: [OperationID: Insert] = [:]
    var fetches: [OperationID: Fetch] = [:]
    var uploads: [UInt64: Upload] = [:]
    var downloads: [UInt64: Download] = [:]
    var partials = PartialStores()
    var repairs = Repairs()
    var syncs: [UInt64: Sync] = [:]
    /// Which successor is compared with next.
    var nextReplica = 0
    var wholeBlocks = WholeBlocks()
    var handover: Handover?
    var shares: TopUp?
    /// Successors that were compared with since they are.
    var compared: Set<ChordID> = []
    /// What time it is at the time zero, in seconds since 1970.
    var secondsAtZero: Int64
    /// Where the look for misplaced fragments goes on.
    var misplacedCursor = ChordID(0)
    var actions: [RingAction] = []
    /// Answers of this node to its own questions.
    var own: [(RequestID, RingReply)] = []
    private var lastNumber: UInt64 = 0

    init(store: any BlockStore, rules: any BlockRules, parameters: DHashParameters) {
        self.store = store
        self.rules = rules
        self.parameters = parameters
        secondsAtZero = parameters.secondsAtZero
        tree = MerkleTree()
        var last: ChordID?
        while let keys = Optional(store.keys(of: .contentHash, after: last, limit: 1024)), !keys.isEmpty {
            for key in keys { tree.insert(key) }
            last = keys.last
        }
    }

    mutating func nextNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    mutating func start(using random: inout some RandomNumberGenerator) {
        func some(_ duration: Duration) -> Duration { duration * Int64.random(in: 500...1500, using: &random) / 1000 }
        actions.append(.wake(.dhash(.replicas), after: some(parameters.replicaTimer)))
        actions.append(.wake(.dhash(.wholeBlocks), after: some(parameters.wholeBlockTimer)))
        actions.append(.wake(.dhash(.misplaced), after: some(parameters.misplacedTimer)))
        if parameters.expires { actions.append(.wake(.dhash(.expiry), after: some(parameters.expiryTimer))) }
        nextReplica = Int.random(in: 0..<max(1, parameters.fragments - 1), using: &random)
    }

    mutating func ask(
        _ node: ChordNode, _ request: RingRequest, for purpose: Purpose, _ chord: inout Chord, at now: Duration
    ) {
        let id = chord.nextRequest()
        pending[id] = (node, purpose)
        guard node.id == chord.me.id else {
            actions.append(.ask(id, node, request))
            return
        }
        // Not by the network, and not within the event that asked either.
        switch request {
        case .dhash(let request): own.append((id, .dhash(answer(request, from: node, chord, at: now))))
        case .merkle(let request): own.append((id, .merkle(tree.answer(request).reply)))
        case .chord: preconditionFailure("a node's own ring is asked directly")
        }
    }

    mutating func lookUp(
        _ id: ChordID, wanted: Int?, for purpose: LookupPurpose, _ chord: inout Chord, at now: Duration
    ) {
        let (lookup, asked) = chord.lookUp(id, wanted: wanted, at: now)
        lookups[lookup] = purpose
        actions += asked.map(RingAction.init)
    }

    /// The nodes that keep a block, by what a lookup found: in a ring with fewer nodes than a list is long, the last one is
    /// the block's predecessor, which its own list leaves out.
    func keepers(_ result: LookupResult, _ count: Int, _ chord: Chord) -> [ChordNode] {
        var nodes = result.successors
        var known = Set(nodes.map(\.id))
        if nodes.count < count {
            let others = known.contains(chord.me.id) ? chord.successors : [chord.me]
            for node in (result.path + others) where nodes.count < count && known.insert(node.id).inserted {
                nodes.append(node)
            }
            nodes.sort { $0.id &- result.target < $1.id &- result.target }
        }
        return Array(nodes.prefix(count))
    }

    // Events.

    mutating func lookedUp(
        _ lookup: LookupID, _ result: Result<LookupResult, ChordFailure>, _ chord: inout Chord, at now: Duration,
        using random: inout some RandomNumberGenerator
    ) {
        guard let purpose = lookups.removeValue(forKey: lookup) else { return }
        switch purpose {
        case .insert(let operation): located(operation, result, &chord, at: now, using: &random)
        case .fetch(let operation): found(operation, result, &chord, at: now, using: &random)
        case .master(let key): masterFound(key, result, &chord, at: now)
        case .misplaced(let key): ownersFound(key, result, &chord, at: now)
        }
    }

    mutating func receive(
        _ reply: RingReply, to request: RequestID, _ chord: inout Chord, at now: Duration,
        using random: inout some RandomNumberGenerator
    ) {
        guard let (node, purpose) = pending.removeValue(forKey: request) else { return }
        switch (purpose, reply) {
        case (.upload(let upload), .dhash(let reply)): uploaded(upload, reply, &chord, at: now)
        case (.download(let download, let start), .dhash(let reply)):
            downloaded(download, start, reply, &chord, at: now, using: &random)
        case (.sync(let sync), .merkle(let reply)): compared(sync, reply, &chord, at: now)
        case (.offer, .dhash(.offered(let answers))): offered(answers, &chord, at: now)
        default: missed(purpose, of: node, &chord, at: now, using: &random)
        }
    }

    mutating func fail(
        _ request: RequestID, _ chord: inout Chord, at now: Duration, using random: inout some RandomNumberGenerator
    ) {
        guard let (node, purpose) = pending.removeValue(forKey: request) else { return }
        chord.noteFailure(of: node, at: now)
        missed(purpose, of: node, &chord, at: now, using: &random)
    }

    private mutating func missed(
        _ purpose: Purpose, of node: ChordNode, _ chord: inout Chord, at now: Duration,
        using random: inout some RandomNumberGenerator
    ) {
        switch purpose {
        case .upload(let upload): uploaded(upload, .failed(.unreachable), &chord, at: now)
        case .download(let download, let start):
            downloaded(download, start, .failed(.unreachable), &chord, at: now, using: &random)
        case .sync(let sync): syncs[sync] = nil
        case .offer: handover = nil
        }
    }

    mutating func fire(
        _ timer: DHashTimer, _ chord: inout Chord, at now: Duration, using random: inout some RandomNumberGenerator
    ) {
        switch timer {
        case .replicas:
            compareWithSuccessor(&chord, at: now)
            actions.append(.wake(.dhash(.replicas), after: parameters.replicaTimer))
        case .wholeBlocks:
            spreadWholeBlocks(&chord, at: now)
            actions.append(.wake(.dhash(.wholeBlocks), after: parameters.wholeBlockTimer))
        case .misplaced:
            lookForMisplaced(&chord, at: now)
            topUp(&chord, at: now)
            actions.append(.wake(.dhash(.misplaced), after: parameters.misplacedTimer))
        case .retry(let operation): search(operation, &chord, at: now)
        case .late(let operation): askInstead(operation, &chord, at: now)
        case .expiry:
            let pause = dropExpired(at: now)
            actions.append(.wake(.dhash(.expiry), after: pause))
        }
    }
}

/// What a keeper of blocks counts.
public struct DHashCounters: Equatable, Sendable {
    /// Fragments and blocks kept because others asked.
    public var stores = 0
    /// Stores refused because the block is not what its name says, or the fragment is none.
    public var refused = 0
    /// Fragments made anew because this node lacked them.
    public var repaired = 0
    /// Fragments that were missing and could not be made.
    public var unrepaired = 0
    /// Fragments given to those that should keep them.
    public var handedOver = 0
    /// Blocks and fragments dropped because their time was over.
    public var expired = 0
    /// Fragments of others' that turned out to be none, or of no block.
    public var badFragments = 0

    /// Nothing counted yet.
    public init() {}

    /// Adds what another keeper counted.
    public mutating func add(_ other: Self) {
        stores += other.stores
        refused += other.refused
        repaired += other.repaired
        unrepaired += other.unrepaired
        handedOver += other.handedOver
        badFragments += other.badFragments
        expired += other.expired
    }
}
