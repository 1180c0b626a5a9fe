/// Decides when an old version has nothing left to do on a node.
///
/// It goes in two steps. When no peer is left that speaks only the old version, or from which a request goes on to such a
/// node, and for a whole period no client needed its answer, it is *drained*: clients' reads go to the newer version alone, and so its own calls to its peers end.
/// When for another period fewer messages than the threshold reached it, it is *retired*. In a tree of servers the old
/// version so disappears from the top down, and nobody is left waiting for it. Writes that go to every version by rule
/// say nothing about whether anyone needs it, and do not count.
///
/// An operator may *dismiss* it: then it goes by the same two steps, and neither waits for anything.
///
/// A state machine: samples go in, the decision comes out; time is an argument.
///
/// - Note: R18 (L 2.3.2): "when the message rate of the old version falls under a threshold". DESIGN 8.
public struct Retirement: Sendable, Hashable {
    /// When a version may go.
    public struct Policy: Sendable, Hashable {
        /// Messages a second below which it counts as unused.
        public var messagesPerSecond: Double
        /// For how long.
        public var period: Duration

        /// A policy.
        ///
        /// - Precondition: neither number is negative.
        public init(messagesPerSecond: Double, period: Duration) {
            precondition(messagesPerSecond >= 0 && period >= .zero, "a policy's numbers are not negative")
            self.messagesPerSecond = messagesPerSecond
            self.period = period
        }
    }

    /// What is known of the old version at one moment. The counts only grow.
    public struct Sample: Sendable, Hashable {
        /// Messages from peers that were delivered to it.
        public var peerMessages: UInt64
        /// Clients' requests that only it could answer well.
        public var neededAnswers: UInt64
        /// Peers that are known to run nothing newer, or to know somebody who does not.
        public var peersBehind: Int

        /// A sample.
        public init(peerMessages: UInt64, neededAnswers: UInt64, peersBehind: Int) {
            self.peerMessages = peerMessages
            self.neededAnswers = neededAnswers
            self.peersBehind = peersBehind
        }
    }

    /// What is to be done with the old version.
    public enum Decision: Sendable, Hashable {
        /// It still has work.
        case keep
        /// Clients read from the newer version only.
        case drain
        /// It can go.
        case retire
    }

    private let policy: Policy
    private var isDrained = false
    private var isDismissed = false
    private var windowStart: Duration?
    private var windowSample: Sample?

    /// A decision that begins with "keep".
    public init(policy: Policy) { self.policy = policy }

    /// An operator wants it to go, whoever needs it. Repeating it changes nothing.
    public mutating func dismiss() { isDismissed = true }

    /// One more sample, taken at `now` on any clock that only goes forward.
    public mutating func observe(_ sample: Sample, at now: Duration) -> Decision {
        if isDismissed {
            defer { isDrained = true }
            return isDrained ? .retire : .drain
        }
        guard let start = windowStart, let first = windowSample else {
            restart(sample, at: now)
            return isDrained ? .drain : .keep
        }
        if isDrained {
            let messages = Double(sample.peerMessages - first.peerMessages)
            guard now - start >= policy.period else { return .drain }
            if messages == 0 || messages < policy.messagesPerSecond * (now - start).seconds { return .retire }
            restart(sample, at: now)
            return .drain
        }
        if sample.peersBehind > 0 || sample.neededAnswers > first.neededAnswers {
            restart(sample, at: now)
            return .keep
        }
        guard now - start >= policy.period else { return .keep }
        isDrained = true
        restart(sample, at: now)
        return .drain
    }

    private mutating func restart(_ sample: Sample, at now: Duration) {
        windowStart = now
        windowSample = sample
    }
}

extension Duration {
    /// The duration as a number of seconds.
    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
