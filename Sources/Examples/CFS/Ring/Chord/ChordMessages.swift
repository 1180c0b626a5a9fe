public import CFSModel

/// What virtual nodes ask each other to keep the ring and to find their way on it (CFS 2004, programs `chord` and `fingers`).
public enum ChordRequest: Equatable, Sendable {
    /// Nothing: whether the node answers (the transport program's procedure 0).
    case ping
    /// Who follows you?
    case successor
    /// Who is before you?
    case predecessor
    /// Yourself and who follows you.
    case successorList
    /// Yourself and who is before you.
    case predecessorList
    /// Yourself and your fingers.
    case fingers
    /// I believe that this one is before you.
    case notify(ChordNode)
    /// This one did not answer me: see yourself.
    case alert(ChordNode)
    /// Who has this id? If it is not your successor: who of those you know is nearest before it, without these?
    ///
    /// The upcall of `TESTRANGE_FINDCLOSESTPRED`, which no program of the historic tree makes use of, is not here.
    case testRange(ChordID, failed: [ChordID])
    /// Find who has this id, and tell the way there.
    case findRoute(ChordID, withSuccessors: Bool)
    /// Take this question on: answer it, or pass it on (generation 2; CFS 2008, `recroute`).
    case route(Route)
    /// Your question came to its end (generation 2).
    case routeEnd(RouteEnd)
}

/// What a node says to a `ChordRequest`.
public enum ChordReply: Equatable, Sendable {
    /// To `ping`, `notify`, `alert`; to `route`: I take it; to `routeEnd`.
    case done
    /// To `successor`, `predecessor`.
    case node(ChordNode)
    /// To the lists and to `findRoute`: successors of the id first, if they were asked for, then the way.
    case nodes([ChordNode])
    /// To `testRange`: it is one of my successors', here they are.
    case inRange([ChordNode])
    /// To `testRange`: ask this one, these are my successors.
    case notInRange(ChordNode, successors: [ChordNode])
    /// To any: it did not work (`chordstat` other than OK).
    case failed(ChordFailure)
}

/// Why a node did not answer (CFS 2004, `chordstat`).
public enum ChordFailure: Int32, Error, Equatable, Sendable {
    /// There is nobody to name.
    case noEntry = 1
    /// A node that had to be asked did not answer.
    case unreachable = 2
    /// The upcall said that this is enough.
    case stopped = 6
}

/// Names a question of one virtual node, so that the answer finds back.
public struct RequestID: Hashable, Sendable {
    let number: UInt64
}

/// Names a question of somebody else: the shell chooses it, and gets it back with the answer.
public struct Ticket: Hashable, Sendable {
    /// Any number that no other open question has.
    public let number: UInt64

    /// A ticket.
    public init(_ number: UInt64) { self.number = number }
}

/// Names a lookup.
public struct LookupID: Hashable, Sendable {
    let number: UInt64
}

/// Names a question that a node passes on.
public struct ForwardID: Hashable, Sendable {
    let number: UInt64
}

/// What a lookup found.
public struct LookupResult: Equatable, Sendable {
    /// The id that was looked for.
    public let target: ChordID
    /// Who has it first, then those behind.
    public let successors: [ChordNode]
    /// The nodes that were asked and answered, in order, this one first if it knew enough itself.
    public let path: [ChordNode]
    /// How many other nodes were asked, those that did not answer included: round trips.
    public let questions: Int
    /// How many of them did not answer.
    public let failures: Int

    /// A result.
    public init(target: ChordID, successors: [ChordNode], path: [ChordNode], questions: Int, failures: Int) {
        self.target = target
        self.successors = successors
        self.path = path
        self.questions = questions
        self.failures = failures
    }
}

/// What wakes a ring's node.
public enum ChordTimer: Hashable, Sendable {
    /// Look after the successor and the predecessor.
    case continuous
    /// Look after the lists and one finger.
    case backoff
    /// Ask dead nodes whether they are back.
    case checkDead
    /// Take over the predecessor's fingers.
    case firstFingers
    /// Try again to join.
    case join
    /// A lookup of generation 2 was not answered in time.
    case route(LookupID, attempt: Int)
    /// A node has not taken a question of generation 2 in time.
    case hop(ForwardID)
}

/// What a ring's node wants to have done.
public enum ChordAction: Equatable, Sendable {
    /// Ask this node; tell its reply by `receive(_:to:)`, or that there was none by `fail(_:)`.
    case ask(RequestID, ChordNode, ChordRequest)
    /// Answer the question with this ticket.
    case answer(Ticket, ChordReply)
    /// Call `fire` with this timer so much later. Each timer is set once at a time.
    case wake(ChordTimer, after: Duration)
    /// A lookup that was asked for is over.
    case lookedUp(LookupID, Result<LookupResult, ChordFailure>)
    /// The node has neighbours now.
    case joined
    /// Nobody answered who could say where this node belongs; it tries again.
    case joinFailed
}

/// Numbers of the historic configuration; others are for tests and simulations.
public struct ChordParameters: Equatable, Sendable {
    /// Neighbours known on each side (CFS 2004, `chord.nsucc`).
    public var neighbours = 16
    /// Nodes kept in mind.
    public var locations = CFSLimits.locations
    /// Whether a lookup for several successors stops as soon as somebody's list has them (`find_succlist_shaving`).
    public var isShaving = true
    /// First, usual and longest time between two looks at the neighbours.
    public var continuous = StabilizationTimes(first: .seconds(1), base: .seconds(20), longest: .seconds(40))
    /// The same for lists and fingers.
    public var backoff = StabilizationTimes(first: .seconds(1), base: .seconds(8), longest: .seconds(16))
    /// How long until a dead node is asked again; doubled each time (`checkdead_interval`).
    public var checkDead = Duration.seconds(60)
    /// The longest time between two questions to one dead node.
    public var checkDeadLongest = Duration.seconds(960)
    /// How long nobody's word brings a dead node back.
    public var deadAtLeast = Duration.seconds(60)
    /// How long a dead node is asked at all.
    public var deadAtMost = Duration.seconds(30 * 86_400)
    /// How long until the next try to join, or to get the predecessor's fingers.
    public var retry = Duration.seconds(10)

    /// How ids are looked up.
    public var routing = Routing.iterative
    /// How long an attempt to look up may take, with recursive routing.
    public var routePatience = Duration.seconds(3)
    /// How many attempts there are; each begins with another node.
    public var routeAttempts = 4
    /// How much longer than three expected round trips a node may take to accept a question that is passed on.
    public var hopPatience = Duration.milliseconds(300)
    /// How many nodes one that passes a question on tries.
    public var hopAttempts = 4
    /// Slots of fingers that are looked after in one round, with recursive routing.
    public var slotsPerRound = 1
    /// Of how many nodes behind the beginning of a slot the nearest one becomes the finger (Dabek et al., NSDI 2004: PNS(16)).
    public var fingerCandidates = 16

    /// The historic ones.
    public init() {}

    /// Those of generation 2: recursive routing, and 32 neighbours, so that the 28 keepers of a block are among them.
    public static var generation2: Self {
        var parameters = Self()
        parameters.routing = .recursive
        parameters.neighbours = 32
        parameters.locations += 64
        return parameters
    }
}

/// How a node finds out who has an id.
public enum Routing: Hashable, Sendable {
    /// It asks one node after the other itself; fingers are a power of two away (2004).
    case iterative
    /// The question is passed on from node to node; fingers are chosen by digits and by round trip (generation 2).
    case recursive
}

/// Times between two rounds of stabilisation.
public struct StabilizationTimes: Equatable, Sendable {
    /// Before the first round.
    public var first: Duration
    /// What it strives for.
    public var base: Duration
    /// Never more than that, before half of it is added or taken away by chance.
    public var longest: Duration

    /// Times.
    public init(first: Duration, base: Duration, longest: Duration) {
        self.first = first
        self.base = base
        self.longest = longest
    }
}
