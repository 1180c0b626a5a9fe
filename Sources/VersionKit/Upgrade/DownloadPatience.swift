/// When a node that fetches a release from many asks for further peers, and when it gives them up.
///
/// A value: what came so far and the time are arguments.
public struct DownloadPatience: Sendable, Equatable {
    /// How long what lasts.
    public struct Policy: Sendable, Hashable {
        /// Connections that are enough.
        public var peersWanted = 6
        /// The pause behind the first question for peers; it doubles with each further one.
        public var pause: Duration = .milliseconds(500)
        /// The longest pause.
        public var pauseMax: Duration = .seconds(16)
        /// Without a further byte for so long it says that it is stuck, and again after each such time.
        public var stuckAfter: Duration = .seconds(2)
        /// Without a further byte for so long it gives up.
        public var giveUpAfter: Duration = .seconds(8)

        /// The defaults, as above.
        public init() {}
    }

    /// What is to be done.
    public enum Step: Sendable, Hashable {
        /// Nothing now.
        case wait
        /// Ask for further peers.
        case ask(isStuck: Bool)
        /// Look anew at what is here: libtorrent at times forgets a piece that was wrong and is fetched again, and then asks
        /// nobody for it.
        case lookAgain
        /// Fetch it in another way.
        case giveUp
    }

    private let policy: Policy
    private var most: UInt64 = 0
    private var wrongSeen: UInt64 = 0
    private var progressed: Duration
    private var asked: Duration?
    private var pause: Duration

    /// Begins now.
    public init(_ policy: Policy = Policy(), at now: Duration) {
        self.policy = policy
        progressed = now
        pause = policy.pause
    }

    /// What to do now. To be called some times per second.
    ///
    /// - Parameters:
    ///   - bytes: how many came so far, without those that were wrong.
    ///   - wrong: how many came and were wrong.
    ///   - peers: how many connections there are.
    public mutating func step(bytes: UInt64, wrong: UInt64 = 0, peers: Int, at now: Duration) -> Step {
        if bytes > most { (most, progressed) = (bytes, now) }
        if now - progressed >= policy.giveUpAfter { return .giveUp }
        guard let last = asked else { return ask(isStuck: false, at: now) }
        let isStuck = now - progressed >= policy.stuckAfter
        if isStuck, wrong > wrongSeen, peers > 0 {
            // Once for what was wrong: if it does not help, others are asked as ever.
            (wrongSeen, progressed) = (wrong, now)
            return .lookAgain
        }
        if isStuck { return now - last >= policy.stuckAfter ? ask(isStuck: true, at: now) : .wait }
        guard peers < policy.peersWanted, now - last >= pause else { return .wait }
        pause = min(pause * 2, policy.pauseMax)
        return ask(isStuck: false, at: now)
    }

    /// What is here already is still being looked at: that is no waste of time.
    public mutating func rest(at now: Duration) { progressed = now }

    private mutating func ask(isStuck: Bool, at now: Duration) -> Step {
        asked = now
        return .ask(isStuck: isStuck)
    }
}
