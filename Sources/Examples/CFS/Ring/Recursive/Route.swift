public import CFSModel

/// A question that travels by itself from node to node until it is where the answer is known (CFS 2008, `recroute_route_arg`).
public struct Route: Equatable, Sendable {
    /// What the asking node calls it.
    public let number: UInt32
    /// Who wants to know: the answer goes straight there.
    public let origin: ChordNode
    /// The id that is looked for.
    public let target: ChordID
    /// How many successors of it are enough to stop early; 0 to go on to the predecessor itself.
    public let wanted: Int
    /// Nodes on the way that did not take it, or not in time.
    public var retries: Int
    /// Those who have it had, in order, without the origin.
    public var path: [ChordNode]

    /// A question.
    public init(
        number: UInt32, origin: ChordNode, target: ChordID, wanted: Int, retries: Int = 0, path: [ChordNode] = []
    ) {
        self.number = number
        self.origin = origin
        self.target = target
        self.wanted = wanted
        self.retries = retries
        self.path = path
    }
}

/// What became of a ``Route``, told to its origin (CFS 2008, `recroute_complete_arg`).
public struct RouteEnd: Equatable, Sendable {
    /// The question's number.
    public let number: UInt32
    /// Those who had it.
    public let path: [ChordNode]
    /// Nodes that did not take it.
    public let retries: Int
    /// The successors of the id, the one that has it first; or that nobody could be found to pass the question on to.
    public let successors: [ChordNode]?

    /// An end.
    public init(number: UInt32, path: [ChordNode], retries: Int, successors: [ChordNode]?) {
        self.number = number
        self.path = path
        self.retries = retries
        self.successors = successors
    }
}

/// A question that this node passes on, until the next one has taken it.
struct Forward: Sendable {
    var route: Route
    /// Who has it been given to last.
    var next: ChordNode
    /// Those that did not take it.
    var refused: [ChordID] = []
    /// Those that took it in vain before: only if there are no others.
    var tried: [ChordID] = []
    /// How many this node gave it to.
    var attempts = 0
    /// The lookup of this node's that it is for.
    var lookup: LookupID?
}
