public import NIOCore
public import VersionKitWire

/// A version of an application as a value: what it knows, and what it answers.
public protocol VersionModel: Sendable {
    /// Takes one request out of the bytes and answers it; `nil`: it is not complete yet.
    ///
    /// Peek what is needed and leave the mark behind the request, as an adapter does. No bytes: no reply.
    mutating func answer(_ bytes: inout PeekBuffer) -> ByteBuffer?
}

/// What may go wrong with versions, and how often, in percent of the requests or steps.
public struct Faults: Sendable, Hashable {
    /// A connection ends before a request was done.
    public var lostBefore = 0
    /// A connection ends after a request was done and before its reply left.
    public var lostAfter = 0
    /// A reply is damaged.
    public var garbage = 0
    /// A version does not do a request, and says so with ``refusal``.
    public var refused = 0
    /// How a version says that it did not do a request. None: it says nothing.
    public var refusal = ByteBuffer()
    /// A request is answered twice.
    public var twice = 0

    /// A connection ends on which the proxy lists keys, copies them, or sends what was missed.
    public var catchUpLost = 0
    /// A version is not trusted any more, as if it had been started again, though it lost nothing.
    public var distrusted = 0

    /// The proxy is killed at any point, and another started with what it wrote down. Clients come again, and ask for
    /// what they had not asked for yet.
    package var killed = 0

    /// Nothing goes wrong. Slowness and other orders between connections are in every simulation.
    public init() {}
}
