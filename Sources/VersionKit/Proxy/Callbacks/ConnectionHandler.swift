public import NIOCore
public import VersionKitModel

/// What a callback wants done on behalf of one client: the papers' `conn_handler`.
///
/// A value that records. The engine hands one to each callback and carries out what it finds afterwards, in order, so
/// callbacks are pure, and a test needs neither socket nor clock.
///
/// - Note: S 3.4, figure 6; R12.
public struct ConnectionHandler: Sendable {
    /// The versions that run at the time of this callback.
    public let versions: VersionList
    /// Those of them that missed writes and are being brought up to date: nothing is read from them, and what is
    /// written goes through ``catchUp(_:for:)``.
    public private(set) var behind: [Version]
    /// Keys of which a version that is not ``behind`` has another state, until it is copied to it: what it says about
    /// writes to them does not count, and nothing is read from it as long as there is another one.
    public private(set) var unlike: [(version: Version, keys: Keys)]
    /// Those of them that did not do the last write which another did, with nothing to bring it to them later.
    public private(set) var failing: [Version]
    /// Whether what a version misses can be kept for it at the moment; otherwise no write may begin that one would miss.
    public let keepsMissed: Bool
    /// The version that is lost, if no connection to it came about: nothing of what it was sent has reached it.
    public let unreached: Version?
    /// Milliseconds since 1970 at the time of this callback.
    public let milliseconds: Int64
    /// Whether there are connections to the versions that this client shares with others.
    public let canShare: Bool
    /// How many replies of a shared connection a callback used: ``noteSharedReplies(_:)``.
    public private(set) var sharedReplies = 0

    private var recorded: [Action] = []

    /// One thing that the engine does.
    public enum Action: Sendable, Hashable {
        /// Send bytes to a version, on this client's connection to it.
        case send(ByteBuffer, to: Version)
        /// Send requests with so many replies to a version, on a connection that is shared with other clients.
        case sendShared(ByteBuffer, to: Version, replies: Int)
        /// Send bytes to the client.
        case reply(ByteBuffer)
        /// Call ``ProxyCallbacks/ordered(_:_:)`` when no other write to these keys is under way.
        case order(Int, Keys)
        /// The same for a run of writes that were not looked into.
        case orderRun(Int, [KeyMark])
        /// A write that was ordered is done.
        case finish(Int)
        /// Keep what a version missed until it can be brought to it.
        case catchUp(MissedWrite, Version)
        /// Close this client's connection to a version; a new one is opened when it is needed.
        case drop(Version)
        /// A client got an answer that only this older version could give.
        case needed(Version)
        /// Versions came to differ, and nothing can be done about it: only operators can.
        case diverged(Version)
        /// A version did not do a write that another did, and why.
        case failing(Version, String)
        /// A version that was failing did a write.
        case working(Version)
        /// A request was answered; `failed` if the answer says that it was not done.
        case answered(failed: Bool)
        /// So many requests of a run were answered, and done.
        case answeredRun(Int)
        /// Close the client's connection once all bytes before this have left. `error`: because of what it sent.
        case closeClient(ProxyError?)
    }

    /// A handler that sees these versions and has nothing recorded.
    public init(
        versions: VersionList, behind: [Version] = [], unlike: [(version: Version, keys: Keys)] = [],
        failing: [Version] = [], keepsMissed: Bool = true, unreached: Version? = nil, milliseconds: Int64 = 0,
        canShare: Bool = false
    ) {
        self.versions = versions
        self.behind = behind
        self.unlike = unlike
        self.failing = failing
        self.keepsMissed = keepsMissed
        self.unreached = unreached
        self.milliseconds = milliseconds
        self.canShare = canShare
    }

    /// The versions from which clients' reads are answered, the newest last.
    public var readable: [Version] {
        let present = versions.reading.filter { !behind.contains($0) }
        guard !unlike.isEmpty else { return present }
        let current = present.filter(isCurrent)
        return current.isEmpty ? present : current
    }

    /// Whether no version is known to miss anything or to fail, and could if it did.
    public var isCalm: Bool { behind.isEmpty && unlike.isEmpty && failing.isEmpty && keepsMissed }

    /// Whether a version has all that it should have, as far as is known.
    public func isCurrent(_ version: Version) -> Bool {
        !behind.contains(version) && (unlike.isEmpty || !unlike.contains { $0.version == version })
    }

    /// Whether a version's state of these keys is what it should be, as far as is known.
    public func isCurrent(_ version: Version, in keys: Keys) -> Bool {
        !behind.contains(version)
            && (unlike.isEmpty || !unlike.contains { $0.version == version && $0.keys.overlaps(keys) })
    }

    /// Sends bytes to a version. The bytes belong to the engine from here on.
    ///
    /// - Precondition: the version is in ``versions``; to address another one is a bug of the adapter, and traps.
    public mutating func enqueue(_ bytes: ByteBuffer, to version: Version) {
        precondition(versions.contains(version), "version \(version) is not among the running \(versions)")
        recorded.append(.send(bytes, to: version))
    }

    /// Sends requests to a version on a connection that other clients use, too: each of them has one reply, and means the
    /// same on a connection on which nothing was said before.
    ///
    /// - Precondition: as for ``enqueue(_:to:)``, and ``canShare``.
    public mutating func enqueueShared(_ bytes: ByteBuffer, to version: Version, replies: Int) {
        precondition(canShare && versions.contains(version), "version \(version) cannot be had on a shared connection")
        recorded.append(.sendShared(bytes, to: version, replies: replies))
    }

    /// Says that the bytes which a callback used were so many replies.
    public mutating func noteSharedReplies(_ count: Int) { sharedReplies += count }

    /// Sends bytes to the client. The bytes belong to the engine from here on.
    public mutating func enqueueClient(_ bytes: ByteBuffer) { recorded.append(.reply(bytes)) }

    /// Closes the client's connection after what was enqueued.
    ///
    /// - Parameter error: why, if it is because of what the client sent: it is counted.
    public mutating func closeClient(_ error: ProxyError? = nil) { recorded.append(.closeClient(error)) }

    /// Asks to be called when no other write to these keys is under way on any connection. `number` is the caller's
    /// own name for the write; ``finish(_:)`` has to follow.
    public mutating func order(_ number: Int, by keys: Keys) { recorded.append(.order(number, keys)) }

    /// As ``order(_:by:)`` for several writes with one turn.
    @usableFromInline
    mutating func order(_ number: Int, by marks: [KeyMark]) { recorded.append(.orderRun(number, marks)) }

    /// Says that a write which was ordered is done.
    public mutating func finish(_ number: Int) { recorded.append(.finish(number)) }

    /// Keeps what a version missed until it can be brought to it. From now on, in this callback too, the version is
    /// ``behind``, or ``unlike`` the others if it only needs a copy.
    public mutating func catchUp(_ missed: MissedWrite, for version: Version) {
        if missed.content == .copy {
            unlike.append((version, missed.keys))
        } else if !behind.contains(version) {
            behind.append(version)
        }
        recorded.append(.catchUp(missed, version))
    }

    /// Closes this client's connection to a version.
    public mutating func drop(_ version: Version) { recorded.append(.drop(version)) }

    /// Says that a client's request was answered; the figures that operators see come from this.
    public mutating func noteAnswered(failed: Bool) { recorded.append(.answered(failed: failed)) }

    /// As ``noteAnswered(failed:)`` for so many requests, all of them done.
    @usableFromInline
    mutating func noteAnswered(_ count: Int) { recorded.append(.answeredRun(count)) }

    /// Says that a write was done by some versions and not by this one, for good.
    public mutating func noteDiverged(_ version: Version) { recorded.append(.diverged(version)) }

    /// Says that a version did not do a write that another did: one that keeps failing is reported, so that it is taken out.
    public mutating func noteFailing(_ version: Version, because reason: String) {
        if !failing.contains(version) { failing.append(version) }
        recorded.append(.failing(version, reason))
    }

    /// Says that a version did a write.
    public mutating func noteWorking(_ version: Version) {
        guard !failing.isEmpty, failing.contains(version) else { return }
        failing.removeAll { $0 == version }
        recorded.append(.working(version))
    }

    /// Says that an older version's answer was better than a newer one's: as long as that happens, the old version is
    /// not retired (R18).
    public mutating func noteNeeded(_ version: Version) { recorded.append(.needed(version)) }

    /// What was recorded, in order; the record is empty afterwards.
    public mutating func takeActions() -> [Action] {
        defer { recorded = [] }
        return recorded
    }
}
