public import VersionKitModel

/// How the log stands of a version that does not run, and may be gone back to (R19).
///
/// A state machine. It begins when nothing more is sent to the version, and ends when the version is not logged for any
/// more. A replay always begins with the first write, to a version that was just put back as it was when the log began;
/// one that is cut short is of no use, and begins again with another one. So no write can come twice, whether or not it may.
public struct ReplayState: Sendable, Hashable {
    /// What the version is listed as.
    public private(set) var role: VersionList.Role
    /// The writes in the log.
    public private(set) var logged: UInt64
    /// The log's bytes.
    public private(set) var bytes: UInt64
    /// Of the writes, those that the version did since it was put back.
    public private(set) var replayed: UInt64 = 0
    /// Why the log is not all that was missed, for good.
    public private(set) var failure: String?
    /// Why this replay comes to nothing; the next one may.
    public private(set) var trouble: String?

    /// The state of a log that is there, or begins.
    ///
    /// - Parameters:
    ///   - role: what the version is listed as when the log is opened. One that is being replayed to already may have got
    ///     anything.
    ///   - failure: why the log is of no use.
    public init(role: VersionList.Role, logged: UInt64 = 0, bytes: UInt64 = 0, failure: String? = nil) {
        self.role = role
        self.logged = logged
        self.bytes = bytes
        self.failure = failure
        if role != .logged { trouble = "the proxy ended while it replayed" }
    }

    /// Whether the next writes of the log are to be sent.
    public var isReplaying: Bool { role != .logged && failure == nil && trouble == nil }

    /// What is still to be sent. Never nothing, if it cannot be.
    public var lag: UInt64 {
        guard role != .logged else { return 0 }
        return isReplaying ? logged - replayed : max(1, logged - replayed)
    }

    /// The version is listed as something else: a replay begins, goes on, or is given up.
    public mutating func change(to newer: VersionList.Role) {
        if role == .logged || newer == .logged { (replayed, trouble) = (0, nil) }
        role = newer
    }

    /// A write is in the log.
    public mutating func noteLogged(bytes: UInt64) {
        logged += 1
        self.bytes = bytes
    }

    /// So many further writes were sent and done.
    public mutating func noteReplayed(_ count: Int) { replayed = min(logged, replayed + UInt64(count)) }

    /// The replay cannot go on.
    public mutating func noteTrouble(_ reason: String) { trouble = trouble ?? reason }

    /// The log is not the whole truth any more.
    public mutating func noteFailure(_ reason: String) {
        failure = failure ?? reason
        bytes = 0
    }
}
