public import VersionKitModel

/// Which path a version's bytes to a peer take, and why: the answer of `versionctl explain flow`.
public struct FlowStatus: Codable, Sendable, Hashable {
    /// Where the bytes go.
    public enum Path: String, Codable, Sendable, Hashable, CaseIterable {
        /// As any other traffic of the host: they are not the router's business.
        case untouched
        /// To nobody.
        case nowhere
        /// By the kernel, straight to the peer's version.
        case fast
        /// By the router, with a header in front.
        case slow
    }

    /// Why they go there.
    public enum Reason: String, Codable, Sendable, Hashable, CaseIterable {
        /// No application registered the port, or the address is link-local.
        case notRegistered
        /// The version does not run on this node.
        case notRunning
        /// This node has no address of the peer's kind.
        case noAddress
        /// The peer has said which of its ports leads straight to its version.
        case learnt
        /// The peer has not lately said that; the next conversation asks.
        case notLearnt
        /// This node has no fast path.
        case noFastPath
        /// The version does not serve peers here.
        case notServing
    }

    /// The application.
    public var application: ApplicationID
    /// Its version on this node.
    public var version: Version
    /// The host that it speaks to.
    public var peer: IPAddress
    /// The port there.
    public var port: TransportPort
    /// Where the bytes go.
    public var path: Path
    /// Why they go there.
    public var reason: Reason
    /// The port of the peer that the kernel sends them to; `nil`: the kernel does not.
    public var directPort: UInt16?
    /// For how long that is known, unless the peer repeats it.
    public var remainingSeconds: Int64?
    /// What of a fast path was tried here and why it failed; `nil`: it is not for want of one.
    public var missing: String?
    /// All of it for people.
    public var explanation: String

    /// The answer to a question.
    public init(
        _ query: FlowQuery, _ path: Path, _ reason: Reason, directPort: UInt16? = nil, remainingSeconds: Int64? = nil,
        missing: String? = nil, explanation: String
    ) {
        (application, version, peer, port) = (query.application, query.version, query.peer, query.port)
        self.path = path
        self.reason = reason
        self.directPort = directPort
        self.remainingSeconds = remainingSeconds
        self.missing = missing
        self.explanation = explanation
    }
}
