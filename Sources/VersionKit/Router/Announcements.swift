public import VersionKitModel

/// Whom this node still has to tell which versions serve here. What is told is not kept here: it is looked up when it is
/// sent, so it is never older than the sending.
///
/// A state machine: what happened goes in, ``next(at:)`` says what to do; time is an argument.
///
/// - Note: DESIGN 6, "long-lived connections".
public struct Announcements: Sendable, Equatable, Codable {
    /// How often and for how long it is tried.
    public struct Policy: Sendable, Hashable, Codable {
        /// Messages on their way at one time.
        public var concurrentMax = 8
        /// Peers that wait to be told; more are not told, and counted.
        public var waitingMax = 8192
        /// Tries for one peer.
        public var attemptsMax = 10
        /// The pause behind the first failure; it doubles with each further one.
        public var pause: Duration = .milliseconds(200)
        /// The longest pause.
        public var pauseMax: Duration = .seconds(30)

        /// The defaults, as above: a peer is given up after a minute and a half.
        public init() {}
    }

    /// One peer of one application.
    public struct Target: Sendable, Hashable, Comparable, Codable {
        /// The application.
        public var application: ApplicationID
        /// The peer's address.
        public var peer: IPAddress

        /// A peer of an application.
        public init(_ application: ApplicationID, _ peer: IPAddress) {
            self.application = application
            self.peer = peer
        }

        public static func < (left: Self, right: Self) -> Bool {
            (left.application, left.peer) < (right.application, right.peer)
        }
    }

    /// What is to be done.
    public enum Step: Sendable, Hashable {
        /// Tell this peer, and then report ``Announcements/succeeded(_:)`` or ``Announcements/failed(_:at:)``.
        case send(Target)
        /// Nothing before this time, or before something else is reported.
        case wait(until: Duration)
        /// Nothing until something is reported.
        case idle
    }

    /// What was done so far.
    public struct Counters: Sendable, Hashable, Codable {
        /// Messages that their receivers took.
        public var told: UInt64 = 0
        /// Tries that failed.
        public var failed: UInt64 = 0
        /// Peers that were given up after ``Policy/attemptsMax`` tries.
        public var givenUp: UInt64 = 0
        /// Peers that were not told because too many waited.
        public var dropped: UInt64 = 0
    }

    private struct Entry: Hashable, Codable {
        var attempts = 0
        var due: Duration
        var isUnderWay = false
        /// Whether there is news since it was sent.
        var isOutdated = false
        /// Whether its pause was cut short once, for the peer was heard.
        var isHurried: Bool?
    }

    private let policy: Policy
    private var entries: [Target: Entry] = [:]
    /// Peers that were given up. When they are heard again, they are told.
    private var unreached: Set<Target> = []
    /// What was done so far.
    public private(set) var counters = Counters()

    /// Nobody has to be told.
    public init(_ policy: Policy = Policy()) { self.policy = policy }

    /// There is news of an application for these peers.
    public mutating func announce(_ application: ApplicationID, to peers: some Sequence<IPAddress>, at now: Duration) {
        for peer in peers { add(Target(application, peer), at: now) }
    }

    /// A peer was heard: if it was given up, it is told now, and so it is if it could not be reached before. That goes
    /// once for all tries at it, as one that refuses what it is told may be heard all the time.
    ///
    /// - Returns: whether there is something to do by that.
    public mutating func heard(_ target: Target, at now: Duration) -> Bool {
        if let entry = entries[target], !entry.isUnderWay, entry.attempts > 0, entry.isHurried != true {
            entries[target]?.due = now
            entries[target]?.isHurried = true
            return true
        }
        guard unreached.contains(target) else { return false }
        add(target, at: now)
        return true
    }

    /// A peer is gone: it need not be told any more.
    public mutating func forget(_ target: Target) {
        unreached.remove(target)
        guard entries[target]?.isUnderWay == true else {
            entries[target] = nil
            return
        }
        // Its result is still to come, and must find that nothing follows.
        entries[target]?.isOutdated = false
        entries[target]?.attempts = policy.attemptsMax
    }

    /// What is to be done now.
    public mutating func next(at now: Duration) -> Step {
        var underWay = 0
        var first: (target: Target, due: Duration)?
        for (target, entry) in entries {
            if entry.isUnderWay {
                underWay += 1
            } else if first.map({ (entry.due, target) < ($0.due, $0.target) }) ?? true {
                first = (target, entry.due)
            }
        }
        guard underWay < policy.concurrentMax, let first else { return .idle }
        guard first.due <= now else { return .wait(until: first.due) }
        entries[first.target]?.isUnderWay = true
        entries[first.target]?.isOutdated = false
        return .send(first.target)
    }

    /// A peer was told.
    public mutating func succeeded(_ target: Target) {
        counters.told += 1
        guard let entry = entries[target], entry.isOutdated else {
            entries[target] = nil
            return
        }
        entries[target] = Entry(due: entry.due)
    }

    /// A peer could not be told.
    ///
    /// - Returns: whether it was given up.
    @discardableResult
    public mutating func failed(_ target: Target, at now: Duration) -> Bool {
        counters.failed += 1
        guard var entry = entries[target] else { return false }
        if entry.isOutdated { entry.attempts = 0 }
        entry.attempts += 1
        guard entry.attempts < policy.attemptsMax else {
            entries[target] = nil
            // A forgotten peer comes by here with one try too many.
            guard entry.attempts == policy.attemptsMax else { return false }
            counters.givenUp += 1
            if unreached.count < policy.waitingMax { unreached.insert(target) }
            return true
        }
        let pause = policy.pause * (1 << min(entry.attempts - 1, 20))
        entries[target] = Entry(
            attempts: entry.attempts, due: now + min(pause, policy.pauseMax), isHurried: entry.isHurried)
        return false
    }

    /// Whoever sent was replaced, and the results of what is under way will not come: it is done again.
    public mutating func resume(at now: Duration) {
        for (target, entry) in entries where entry.isUnderWay {
            // One with no try left was forgotten meanwhile.
            entries[target] = entry.attempts < policy.attemptsMax ? Entry(due: now) : nil
        }
    }

    /// How many peers still have to be told.
    public var waiting: Int { entries.count }

    private mutating func add(_ target: Target, at now: Duration) {
        unreached.remove(target)
        if entries[target]?.isUnderWay == true {
            entries[target]?.isOutdated = true
            entries[target]?.due = now
        } else if entries[target] != nil || entries.count < policy.waitingMax {
            entries[target] = Entry(due: now)
        } else {
            counters.dropped += 1
        }
    }
}
