public import DequeModule
public import NIOCore
public import VersionKitModel

/// One request of a client, from its arrival to its answer.
@usableFromInline struct Exchange<Adapter: MessageAdapter>: Sendable {
    /// A reply of one version, with the bytes that it came in if the client takes those.
    @usableFromInline struct Answer: Sendable {
        @usableFromInline var version: Version
        @usableFromInline var reply: Adapter.Reply
        @usableFromInline var original: ByteBuffer?
        @usableFromInline var verdict: Verdict
        /// The version was lost: the reply is the framework's, and whether it did the request is unknown.
        @usableFromInline var isLost: Bool
        /// The version was lost before anything reached it: it did not do the request.
        @usableFromInline var isUnsent = false

        @inlinable
        init(
            version: Version, reply: Adapter.Reply, original: ByteBuffer?, verdict: Verdict, isLost: Bool = false
        ) {
            self.version = version
            self.reply = reply
            self.original = original
            self.verdict = verdict
            self.isLost = isLost
        }
    }

    /// How the answer comes about.
    @usableFromInline enum Plan: Sendable {
        /// One version, whose answer is the client's.
        case single(Version)
        /// The first good answer; `next` are the versions still to be asked, the newest last.
        case inTurn(next: [Version])
        /// Any good answer, the adapter picks.
        case choose
        /// A write for all.
        case all(Keys, Dispatch<Adapter.Reply>.Missed)
        /// A write for one, copied to the others.
        case lead(Keys)
        /// The others do what came of it.
        case follow(Keys, leader: Version)
        /// A change of the session, for all.
        case session
        /// The adapter's own way.
        case custom(Strategy<Adapter.Reply>, steps: Int)
        /// The outcome is there.
        case decided
    }

    @usableFromInline var request: Adapter.Request
    @usableFromInline let client: Version
    @usableFromInline let original: ByteBuffer
    @usableFromInline var plan: Plan
    /// The number under which it has a place in the order of writes: its own, or that of the first of a run.
    @usableFromInline var ticket: Int?
    /// Whether it is its turn.
    @usableFromInline var isGranted = true
    /// Versions whose answer is still to come.
    @usableFromInline var awaited: [Version] = []
    @usableFromInline var answers: [Answer] = []
    /// What the others are asked instead, after one has done it.
    @usableFromInline var effect: Adapter.Request?
    /// How often it was sent again.
    @usableFromInline var resends = 0
    /// Whether a version that got it was lost before it was sent again.
    @usableFromInline var wasSent = false
    /// What the client gets, once that is decided.
    @usableFromInline var outcome: ByteBuffer?

    @inlinable
    init(_ request: Adapter.Request, from client: Version, original: ByteBuffer, plan: Plan) {
        self.request = request
        self.client = client
        self.original = original
        self.plan = plan
    }
}

/// What one version still owes to one client, in the order in which it was asked.
@usableFromInline struct Lane<Request: Sendable>: Sendable {
    @usableFromInline let version: Version
    /// Whether other clients use the connection, too.
    @usableFromInline let isShared: Bool
    /// Numbers of requests; ``greeting`` stands for one of ``greetings``.
    @usableFromInline var owed: Deque<Int> = []
    /// Requests of the framework's own at the beginning of a connection.
    @usableFromInline var greetings: Deque<Request> = []

    @inlinable
    init(version: Version, isShared: Bool = false) {
        self.version = version
        self.isShared = isShared
    }

    /// Not the number of any request.
    @inlinable
    static var greeting: Int { -1 }
}
