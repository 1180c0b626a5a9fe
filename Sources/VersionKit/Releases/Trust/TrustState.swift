public import VersionKitModel

/// What a node knows of whom to trust with one application: roots, the newest channel, and what it must not forget.
///
/// Decides what to accept, what to begin, what to take away; time is an argument, and nothing is read or written.
///
/// - Note: docs/trust.md.
public struct TrustState: Sendable, Equatable {
    /// What is kept beside the documents.
    public struct Memory: Codable, Sendable, Equatable {
        /// The latest time seen: what has expired once does not count again when the clock goes back.
        public var latest = UTCTime(seconds: 0)
        /// Versions that were withdrawn once, the newest ones.
        public var withdrawn: Set<Version> = []

        /// Nothing was seen.
        public init() {}
    }

    /// The most versions that are remembered as withdrawn; below the oldest of so many nothing runs any more.
    static let withdrawnMax = 1024

    /// The root that the operator pinned.
    public let pinned: SignedDocument<TrustRoot>
    /// The roots behind it, each signed by the one before.
    public private(set) var later: [SignedDocument<TrustRoot>] = []
    /// The channel with the highest number, if there is one that the present root's keys signed.
    public private(set) var channel: SignedDocument<ReleaseChannel>?
    /// What is kept beside the documents.
    public private(set) var memory: Memory

    /// What a node knows that has this root pinned, and kept these documents. Those that do not fit any more are left out.
    ///
    /// - Throws: ``ReleaseError`` if the pinned root is not signed by its own keys.
    public init(
        pinned: SignedDocument<TrustRoot>, roots: [SignedDocument<TrustRoot>] = [],
        channel: SignedDocument<ReleaseChannel>? = nil, memory: Memory = Memory()
    ) throws(ReleaseError) {
        try pinned.check(signers: pinned.content.signers, whose: "its own keys")
        self.pinned = pinned
        self.memory = memory
        // A chain from another pin begins otherwise at the pinned root's number: nothing of it counts.
        let rival = roots.first { $0.content.number == pinned.content.number }
        if rival.map({ $0.saysTheSame(as: pinned) }) ?? true {
            for root in roots.sorted(by: { $0.content.number < $1.content.number }) { _ = try? accept(root) }
        }
        if let channel, (try? check(channel)) != nil { self.channel = channel }
    }

    /// The root that counts.
    public var root: SignedDocument<TrustRoot> { later.last ?? pinned }

    /// The root of this number, for nodes that still need it.
    public func root(_ number: UInt64) -> SignedDocument<TrustRoot>? {
        ([pinned] + later).first { $0.content.number == number }
    }

    /// The application.
    public var application: ApplicationID { pinned.content.application }

    /// How far this node is, as routers tell each other: the numbers of root and channel; 0: there is no channel.
    public var numbers: (root: UInt64, channel: UInt64) { (root.content.number, channel?.content.number ?? 0) }

    // MARK: What to accept

    /// Takes the next root.
    ///
    /// - Throws: ``ReleaseError`` if it is not the next, or too few of the present or of its own keys signed it.
    public mutating func accept(_ next: SignedDocument<TrustRoot>) throws(ReleaseError) {
        let present = root.content
        try checkApplication(next)
        guard next.content.number == present.number + 1 else {
            throw ReleaseError(
                next.content.number <= present.number ? .olderDocument : .gap,
                "root \(next.content.number) does not follow root \(present.number), which is the newest here",
                side: .peer, remedy: "hand in root \(present.number + 1)")
        }
        try next.check(signers: present.signers, whose: "the keys of root \(present.number)")
        try next.check(signers: next.content.signers, whose: "its own keys")
        later.append(next)
        // One whose signers were revoked must not be what is left. Its number goes with it: whoever had enough keys may have
        // spent all numbers.
        if let channel, (try? check(channel)) == nil { self.channel = nil }
    }

    /// Takes a newer channel; also one that has expired, for its withdrawals and its number.
    ///
    /// - Parameter clock: what the node's clock shows.
    /// - Returns: whether there is anything new in it.
    /// - Throws: ``ReleaseError`` if it is older than the present one, or too few keys of the root signed it.
    @discardableResult
    public mutating func accept(_ next: SignedDocument<ReleaseChannel>, at clock: UTCTime) throws(ReleaseError) -> Bool
    {
        try check(next)
        if let present = channel {
            if next.saysTheSame(as: present) { return false }
            guard next.content.number > present.content.number else {
                throw ReleaseError(
                    next.content.number == present.content.number ? .conflict : .olderDocument,
                    "channel \(next.content.number) does not follow channel \(present.content.number), which is the "
                        + "newest here", side: .peer, remedy: "publish one with a greater number")
            }
        }
        // Signed after all that was here, and good by the clock: so it was the latest time that was wrong.
        memory.latest = next.content.expires > clock ? clock : now(at: clock)
        memory.withdrawn.formUnion(next.content.withdrawn.keys)
        while memory.withdrawn.count > Self.withdrawnMax, let oldest = memory.withdrawn.min() {
            memory.withdrawn.remove(oldest)
        }
        channel = next
        return true
    }

    private func check(_ channel: SignedDocument<ReleaseChannel>) throws(ReleaseError) {
        try checkApplication(channel)
        try channel.check(signers: root.content.signers, whose: "the keys of root \(root.content.number)")
    }

    private func checkApplication(_ document: SignedDocument<some TrustDocument>) throws(ReleaseError) {
        guard document.content.application == application else {
            throw ReleaseError(
                .otherApplication, "this speaks of \(document.content.application), not of \(application)",
                side: .publisher)
        }
    }

    // MARK: What to begin

    /// The time that counts: the clock's, or the latest one that it ever showed.
    public func now(at clock: UTCTime) -> UTCTime { max(clock, memory.latest) }

    /// The clock went on.
    public mutating func observe(_ clock: UTCTime) { memory.latest = now(at: clock) }

    /// Why no release at all may begin; `nil`: some may. What runs goes on in any case.
    public func obstacle(at clock: UTCTime) -> ReleaseError? {
        let (root, now) = (root.content, now(at: clock))
        guard root.expires > now else {
            return Self.expired("root \(root.number)", root.expires, "publish a newer root")
        }
        guard let channel = channel?.content else {
            return ReleaseError(
                .notOffered, "no channel of \(application) is known here", side: .publisher,
                remedy: "publish one by versionctl channel publish")
        }
        guard channel.expires > now else {
            return Self.expired(
                "channel \(channel.number)", channel.expires,
                "publish a newer one; if there is one, see why it does not reach this node")
        }
        return nil
    }

    /// Whether this version may begin to run here.
    ///
    /// - Throws: ``ReleaseError`` with the reason why not.
    public func checkBeginning(of version: Version, at clock: UTCTime) throws(ReleaseError) {
        if let obstacle = obstacle(at: clock) { throw obstacle }
        if memory.withdrawn.contains(version) {
            throw ReleaseError(
                .withdrawn, "version \(version) of \(application) was withdrawn", side: .publisher,
                remedy: "publish a newer version")
        }
        guard let channel = channel?.content, channel.offered[version] != nil else {
            throw ReleaseError(
                .notOffered, "channel \(numbers.channel) does not offer version \(version) of \(application)",
                side: .publisher, remedy: "publish a channel that does")
        }
    }

    /// Whose manifests are believed, and which.
    public var policy: TrustPolicy {
        TrustPolicy(
            application: application, signers: root.content.signers, offered: channel?.content.offered ?? [:])
    }

    // MARK: What to take away

    /// The versions that have to go, and why.
    public var withdrawn: [Version: String] {
        let reasons = channel?.content.withdrawn ?? [:]
        return Dictionary(memory.withdrawn.map { ($0, reasons[$0] ?? "an earlier channel said so") }) { first, _ in
            first
        }
    }

    private static func expired(_ what: String, _ time: UTCTime, _ remedy: String) -> ReleaseError {
        ReleaseError(
            .expired, "\(what) has expired, at \(time): what runs goes on, and nothing new begins", side: .publisher,
            isRetrySafe: true, remedy: remedy)
    }
}
