/// Decides when an old version has nothing left to do on a node.
///
/// Where a migrator copies state, it is *copied* once more first: as soon as for a whole period no peer was known that runs only
/// the old version, or that has such a peer. Until then what clients of theirs wrote may have come to the old version alone. Who
/// comes later and runs only that makes another copy necessary.
///
/// Then it goes in two steps. When no peer is left that speaks only the old version, or from which a request goes on to such a
/// node, and for a whole period no client needed its answer, it is *drained*: clients' reads go to the newer version alone, and so its own calls to its peers end.
/// When for another period fewer messages than the threshold reached it, it is *retired*. In a tree of servers the old
/// version so disappears from the top down, and nobody is left waiting for it. Writes that go to every version by rule
/// say nothing about whether anyone needs it, and do not count.
///
/// An operator may *dismiss* it: then it goes by the same steps, and none waits for anything but the copy's success.
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
        /// Peers that are known to run nothing newer, or to know somebody who does not, or not to have copied yet.
        public var peersBehind: Int
        /// Of these, those by which a write may still come to the old version alone.
        public var peersFarBehind: Int

        /// A sample.
        public init(peerMessages: UInt64, neededAnswers: UInt64, peersBehind: Int, peersFarBehind: Int) {
            self.peerMessages = peerMessages
            self.neededAnswers = neededAnswers
            self.peersBehind = peersBehind
            self.peersFarBehind = peersFarBehind
        }
    }

    /// What is to be done with the old version.
    public enum Decision: Sendable, Hashable {
        /// It still has work.
        case keep
        /// What it has is to be copied to the newer version once more; said again until ``copied(since:)`` or ``copyFailed(at:)``
        /// is called. Whoever is told otherwise before that need not go on.
        case copy
        /// Clients read from the newer version only.
        case drain
        /// It can go.
        case retire
    }

    /// How long after a copy that failed the next one begins: at first so long, then twice that each time, so long at most.
    public static let copyPauses = Duration.seconds(1)...Duration.seconds(60)

    private let policy: Policy
    private var needsCopy: Bool
    /// Whether nothing is left in the old version alone, as far as is known.
    public private(set) var isCopied: Bool
    private var copyPause = Self.copyPauses.lowerBound
    private var copyNotBefore: Duration?
    /// Since when no peer is known to be far behind.
    private var aheadSince: Duration?
    private var isDrained = false
    private var isDismissed = false
    private var windowStart: Duration?
    private var windowSample: Sample?

    /// A decision that begins with "keep".
    ///
    /// - Parameters:
    ///   - needsCopy: whether there is somebody who copies what it has.
    ///   - isCopied: whether that was done, before this process began.
    public init(policy: Policy, needsCopy: Bool = false, isCopied: Bool = false) {
        self.policy = policy
        self.needsCopy = needsCopy
        self.isCopied = isCopied || !needsCopy
    }

    /// An operator wants it to go, whoever needs it. Repeating it changes nothing.
    public mutating func dismiss() { isDismissed = true }

    /// A copy succeeded that was begun then. It counts unless somebody may have written to the old version alone since.
    public mutating func copied(since beginning: Duration) {
        guard isDismissed || aheadSince.map({ $0 <= beginning }) == true else { return }
        isCopied = true
        (copyNotBefore, copyPause) = (nil, Self.copyPauses.lowerBound)
    }

    /// A copy failed: the next one is due after a pause.
    public mutating func copyFailed(at now: Duration) {
        copyNotBefore = now + copyPause
        copyPause = min(copyPause * 2, Self.copyPauses.upperBound)
    }

    /// An operator wants it to go with what only it has.
    public mutating func goWithoutCopy() { (needsCopy, isCopied) = (false, true) }

    /// Whether what was copied, or is being copied, is worth anything: nobody is known who may write to the old version alone.
    public var isCopyOfUse: Bool { !needsCopy || isDismissed || isDrained || aheadSince != nil }

    /// One more sample, taken at `now` on any clock that only goes forward.
    public mutating func observe(_ sample: Sample, at now: Duration) -> Decision {
        look(for: sample.peersFarBehind, at: now)
        if isDismissed {
            guard isCopied else { return copyDecision(at: now) }
            defer { isDrained = true }
            return isDrained ? .retire : .drain
        }
        guard let start = windowStart, let first = windowSample else {
            restart(sample, at: now)
            return isDrained ? .drain : copyDecision(at: now)
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
            return copyDecision(at: now)
        }
        guard isCopied, now - start >= policy.period else { return copyDecision(at: now) }
        isDrained = true
        restart(sample, at: now)
        return .drain
    }

    /// Takes note of who may still write to the old version alone. An operator who dismisses it knows of them.
    private mutating func look(for peersFarBehind: Int, at now: Duration) {
        guard needsCopy, !isDismissed, !isDrained else { return }
        if peersFarBehind == 0 {
            aheadSince = aheadSince ?? now
        } else {
            (aheadSince, isCopied) = (nil, false)
        }
    }

    /// What clients need of the old version does not count here: it may be just what is not copied yet.
    private func copyDecision(at now: Duration) -> Decision {
        guard !isCopied, now >= copyNotBefore ?? now else { return .keep }
        if isDismissed { return .copy }
        guard let aheadSince, now - aheadSince >= policy.period else { return .keep }
        return .copy
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
