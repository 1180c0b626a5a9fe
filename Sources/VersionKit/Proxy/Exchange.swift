import NIOCore
import VersionKitModel

/// One request of a client, from its arrival to its answer.
struct Exchange<Request: Sendable, Reply: Sendable>: Sendable {
    /// A reply of one version, with the bytes that it came in if they exist.
    struct Answer: Sendable {
        var version: Version
        var reply: Reply
        var original: ByteBuffer?
        var verdict: Verdict
    }

    /// How the answer comes about.
    enum Plan: Sendable {
        /// The first good answer; `next` are the versions still to be asked, the newest last.
        case inTurn(next: [Version])
        /// All of them have to be good.
        case all
        /// Any of them is good enough, the adapter picks.
        case choose
    }

    let request: Request
    let client: Version
    let original: ByteBuffer
    var plan: Plan
    /// Versions whose answer is still to come.
    var awaited: [Version]
    var answers: [Answer] = []
    /// What the client gets, once that is decided.
    var outcome: ByteBuffer?

    init(_ request: Request, from client: Version, original: ByteBuffer, plan: Plan, awaited: [Version]) {
        self.request = request
        self.client = client
        self.original = original
        self.plan = plan
        self.awaited = awaited
    }

    /// Whether all versions that were asked have answered and none is left to be asked.
    var isComplete: Bool {
        guard awaited.isEmpty else { return false }
        guard case .inTurn(let next) = plan else { return true }
        return next.isEmpty || answers.last?.verdict == .answer
    }
}
