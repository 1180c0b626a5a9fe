import DequeModule
import NIOCore
import VersionKitModel

/// One request of a client, from its arrival to its answer.
struct Exchange<Adapter: MessageAdapter>: Sendable {
    /// A reply of one version, with the bytes that it came in if the client takes those.
    struct Answer: Sendable {
        var version: Version
        var reply: Adapter.Reply
        var original: ByteBuffer?
        var verdict: Verdict
        /// The version was lost: the reply is the framework's, and whether it did the request is unknown.
        var isLost = false
    }

    /// How the answer comes about.
    enum Plan: Sendable {
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
        /// A change of the session, for all.
        case session
        /// The adapter's own way.
        case custom(Strategy<Adapter.Reply>, steps: Int)
        /// The outcome is there.
        case decided
    }

    var request: Adapter.Request
    let client: Version
    let original: ByteBuffer
    var plan: Plan
    /// Whether it has a place in the order of writes.
    var isOrdered = false
    /// Whether it is its turn.
    var isGranted = true
    /// Versions whose answer is still to come.
    var awaited: [Version] = []
    var answers: [Answer] = []
    /// How often it was sent again.
    var resends = 0
    /// What the client gets, once that is decided.
    var outcome: ByteBuffer?

    init(_ request: Adapter.Request, from client: Version, original: ByteBuffer, plan: Plan) {
        self.request = request
        self.client = client
        self.original = original
        self.plan = plan
    }
}

/// What one version still owes to one client, in the order in which it was asked.
struct Lane<Request: Sendable>: Sendable {
    let version: Version
    /// Numbers of requests; ``greeting`` stands for one of ``greetings``.
    var owed: Deque<Int> = []
    /// Requests of the framework's own at the beginning of a connection.
    var greetings: Deque<Request> = []

    /// Not the number of any request.
    static var greeting: Int { -1 }
}
