public import VersionKitModel

/// What is done with a request (R11).
///
/// - Note: S 3.3: "send to the newest and fall back", "send to all, success only if all succeed", "send in parallel and
///   choose"; whatever else an application needs is a ``Strategy``.
public enum Dispatch<Reply: Sendable>: Sendable {
    /// A read: the newest version is asked, and on a miss or a failure the next older one.
    case newestFirst
    /// A write: every version gets it, in the same order for writes that share a key.
    ///
    /// What counts as success is the adapter's ``MessageAdapter/writePolicy``; what a version gets later that misses
    /// the write, `missed` says.
    case all(Keys, missed: Missed = .replay)
    /// A write whose effect is not determined by its bytes (random members, the time of day): one version does it, and
    /// the others get what came of it, as ``MessageAdapter/effect(of:reply:)`` says. Only for a ``KeyedAdapter``.
    case lead(Keys)
    /// A read of all versions in parallel: ``MessageAdapter/choose(_:to:)`` picks one of the good replies.
    case choose
    /// One version alone.
    case only(Version)
    /// Changes what the connection is rather than the application's state: who the client is, which database it uses.
    ///
    /// Every version gets it. The client's next requests wait until it is answered, since they may mean something
    /// else after it; then ``MessageAdapter/settled(_:with:in:)`` updates the session.
    case session
    /// The proxy answers by itself.
    case answer(Reply)
    /// The proxy answers by itself, and then closes the client's connection: the client said that it is done.
    case answerAndClose(Reply)
    /// A strategy of the adapter's own.
    case custom(Strategy<Reply>)

    /// What is done about a version that was down when a write came.
    public enum Missed: Sendable, Hashable {
        /// The request is sent again, in order with the other writes that it missed.
        case replay
        /// The state of the keys is copied from a version that has it: for requests which mean nothing outside of the
        /// connection on which they came. Without ``KeyedAdapter`` the write fails.
        case copy
        /// Nothing: the request changes no state by itself.
        case nothing
    }
}

/// How the answer to a request comes about when none of the built-in ways fits.
///
/// A pure function over the answers so far: asked once before there are any, and again whenever everyone who was asked
/// has answered or was lost.
public struct Strategy<Reply: Sendable>: Sendable {
    /// What comes next.
    public enum Step: Sendable {
        /// Ask these versions; the ones that do not run any more are left out. Asking nobody fails the request.
        case ask([Version])
        /// The client gets the answer with this index.
        case give(Int)
        /// The client gets a reply that the adapter made up, out of several answers for example.
        case answer(Reply)
    }

    /// An answer of one version; a version that was lost before it answered has none.
    public typealias Answers = [(version: Version, reply: Reply)]

    @usableFromInline let next: @Sendable (_ versions: VersionList, _ answers: Answers) -> Step

    /// A strategy.
    ///
    /// - Parameter next: decides; `versions` are those that can be read from, `answers` are in the order of arrival.
    ///   It is called at most ``Limits/strategyStepsMax`` times for one request.
    public init(_ next: @escaping @Sendable (_ versions: VersionList, _ answers: Answers) -> Step) {
        self.next = next
    }
}

/// What an adapter knows when it decides about a request.
public struct DispatchContext<Session: Sendable>: Sendable {
    /// The versions that run.
    public let versions: VersionList
    /// Milliseconds since 1970, by this node's clock.
    public let milliseconds: Int64
    /// What this client's connection has set up so far; changes made here are kept.
    public var session: Session

    /// A context.
    public init(versions: VersionList, milliseconds: Int64, session: Session) {
        self.versions = versions
        self.milliseconds = milliseconds
        self.session = session
    }
}

/// The session of an adapter whose requests stand for themselves.
public struct NoSession: Sendable, Hashable {
    /// There is nothing to say.
    public init() {}
}

/// What a reply means for the choice of versions.
public enum Verdict: Sendable, Hashable {
    /// A good answer.
    case answer
    /// The version does not have what was asked for; an older one may.
    case miss
    /// The version refuses the request, and any other would: a syntax error, a value of the wrong type.
    case rejection
    /// The version did not do it; another may.
    case failure
}

/// What the other versions have to do after one version did a write by ``Dispatch/lead(_:)``.
public enum Effect<Request: Sendable>: Sendable {
    /// Nothing: the write changed nothing.
    case nothing
    /// This request: it does by its bytes what the write did by chance.
    case request(Request)
    /// The state of the keys is copied to them.
    case copy
}

/// When a write that goes to several versions counts as done.
public enum WritePolicy: Sendable, Hashable {
    /// If and only if every version did it (the papers' rule): a version that is down fails every write.
    case allOrFail
    /// If the version that clients read from did it. What another one misses is kept in a bounded queue and brought to it
    /// in order, and until then nothing is read from it and it cannot become the only one.
    ///
    /// With a state directory, which `versiond` gives every proxy, the queue outlives the proxy's process: before a client
    /// hears of its write, what another version misses of it is on record. A proxy that is started anew goes on where the
    /// one before was ended; with a ``KeyedAdapter`` it also compares all keys.
    ///
    /// Without a ``KeyedAdapter`` these are given up and counted as diverged: a write that was being sent when the version
    /// or the proxy was lost, unless it may be done twice (``MessageAdapter/isIdempotent(_:)``); and one that the version
    /// refuses. While a version is behind and its queue is full or cannot be written to the disk, writes fail.
    ///
    /// What was on its way to the versions when the proxy was killed, and was not answered, is not in the queue: some
    /// versions may have done it. And a loss of power can cost the records of the last second.
    case catchUp
}
