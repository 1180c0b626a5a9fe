public import NIOCore
public import VersionKitModel
public import VersionKitWire

/// What the developer of an application writes so that its clients see one consistent system: how messages are framed,
/// which versions a request goes to, how it reads in another version's protocol, and which reply the client gets.
///
/// Pure functions over typed messages. The library does the rest: it falls back to older versions, sends to all, keeps
/// writes to one key in one order, succeeds only if all succeed or brings a version up to date that missed something,
/// keeps pipelined replies in order, and forwards the original bytes untouched where client and version speak the same
/// protocol.
///
/// Six requirements have no default: ``parseRequest(_:from:)``, ``parseReply(_:to:from:)``, ``dispatch(_:_:)``,
/// ``judge(_:)``, ``failure(_:of:)``, and ``encode(_:to:for:)`` to word it.
///
/// - Note: R10, R11; S 3.3. ``MessageProxy`` is the framework's part.
public protocol MessageAdapter: Sendable {
    /// A client's request, whatever protocol it came in.
    associatedtype Request: Sendable
    /// A version's reply, whatever protocol it came in.
    associatedtype Reply: Sendable
    /// What a client's connection has set up: its database, its user, its transaction.
    associatedtype Session: Sendable = NoSession

    // MARK: Framing

    /// Which version's client protocol begins here, asked at the beginning of each request of a connection whose
    /// listener does not say. `nil`: too few bytes to tell. By default version 1's: right where the protocol never
    /// changed.
    func identifyClient(_ bytes: inout PeekBuffer) throws(ProxyError) -> Version?

    /// Reads one request: the bytes that were peeked when this returns are the request's. `nil`: not complete yet.
    ///
    /// - Throws: ``ProxyError/malformedRequest(_:)``: the client gets ``failure(_:of:)`` of nothing if the adapter
    ///   words one (``goodbye(_:to:)``), and its connection is closed.
    func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> Request?

    /// Reads one reply, as ``parseRequest(_:from:)``.
    func parseReply(
        _ bytes: inout PeekBuffer, to request: Request, from version: Version
    ) throws(ProxyError) -> Reply?

    /// What a client is told before its connection is closed because its bytes make no sense or a limit was passed. By
    /// default nothing.
    func goodbye(_ error: ProxyError, to client: Version?) -> ByteBuffer?

    // MARK: At a glance

    /// A quick look at a request: the bytes that were peeked when this returns are the request's. `nil`: not complete.
    ///
    /// Requests of which this says enough travel together, as they came, without being parsed, and their replies go back
    /// in the same way: several times as fast. By default ``Glance/unusual``, which is always right.
    ///
    /// What is not unusual has one reply; all versions take the client's own bytes, and clients theirs; it neither
    /// changes the session nor is changed by ``dispatch(_:_:)``; and ``parseRequest(_:from:)`` finds the same end. The
    /// framing checks of VersionKitTesting compare the two.
    func glance(at bytes: inout PeekBuffer, from client: Version, in session: Session) -> Glance?

    /// A quick look at a reply to such a request: whether ``judge(_:)`` would call it an ``Verdict/answer`` and only
    /// equal bytes agree with it. `nil`: not complete. By default `false`, which is always right.
    func glanceReply(at bytes: inout PeekBuffer, from version: Version) -> Bool?

    /// Whether requests of this session mean the same on a connection on which nothing was said before. Those that need
    /// no look inside (``glance(at:from:in:)``) then travel on connections that many clients share. By default `false`:
    /// every client has connections of its own.
    func sharesConnections(_ session: Session) -> Bool

    // MARK: Decisions

    /// What is to be done with a request, which may be changed on the way (a time that was relative made absolute).
    func dispatch(_ request: inout Request, _ context: inout DispatchContext<Session>) -> Dispatch<Reply>

    /// What a reply means for the choice of versions.
    func judge(_ reply: Reply) -> Verdict

    /// Which of several good replies the client gets: an index into `replies`, which run from the oldest version to the
    /// newest and are never empty. By default the newest one.
    func choose(_ replies: [(version: Version, reply: Reply)], to request: Request) -> Int

    /// Whether two versions did the same with a write. By default if ``judge(_:)`` says the same of both.
    func agree(_ one: Reply, _ other: Reply, on request: Request) -> Bool

    /// What came of a request that one version did alone (``Dispatch/lead(_:)``). By default ``Effect/copy``, which is
    /// always right, and slow where keys are large.
    func effect(of request: Request, reply: Reply) -> Effect<Request>

    /// Whether doing the request twice has the same effect as doing it once: only then it is sent again when its first
    /// fate is unknown. By default `false`.
    func isIdempotent(_ request: Request) -> Bool

    /// The reply that tells a client that its request failed, and why.
    func failure(_ error: ProxyError, of request: Request) -> Reply

    /// When a write to several versions counts as done. By default ``WritePolicy/allOrFail``.
    var writePolicy: WritePolicy { get }

    /// Whether the state of single keys can be copied between versions; ``KeyedAdapter`` says so.
    var copiesKeys: Bool { get }

    /// Whether this version is told the client's address, by a header of the PROXY protocol (version 2). By default
    /// not.
    func announcesClient(to version: Version) -> Bool

    // MARK: Translation

    /// Whether `version` takes the client's own bytes. By default if it is the client's own version.
    func forwards(_ request: Request, from client: Version, to version: Version) -> Bool

    /// Whether a client takes the bytes of this version's reply. By default if it is the client's own version.
    func forwards(_ reply: Reply, to request: Request, from version: Version, for client: Version) -> Bool

    /// A request in the protocol of a version that does not take the client's own bytes. By default a trap: an adapter
    /// whose protocol never changes is not asked.
    func encode(_ request: Request, for version: Version) throws(ProxyError) -> ByteBuffer

    /// A reply in the protocol of a client that does not take the version's bytes, or one that the framework or
    /// ``dispatch(_:_:)`` made up.
    func encode(_ reply: Reply, to request: Request, for client: Version) throws(ProxyError) -> ByteBuffer

    // MARK: Sessions

    /// The session of a connection that was just opened.
    func makeSession() -> Session

    /// A request with ``Dispatch/session`` was answered: the client's next request sees the session that comes of it.
    func settled(_ request: Request, with reply: Reply, in session: inout Session)

    /// The requests that bring a new connection to a version into the state of this session, complete enough for a
    /// connection that was in another session before. By default none.
    func greeting(_ session: Session, to version: Version) -> [Request]

    /// The requests that bring a fresh client connection into the state of this session: a newer proxy, to which the
    /// connection moves, gets them as if the client had sent them. By default ``greeting(_:to:)``.
    func resumption(_ session: Session, of client: Version) -> [Request]
}

extension MessageAdapter {
    public func identifyClient(_ bytes: inout PeekBuffer) throws(ProxyError) -> Version? { 1 }

    public func goodbye(_ error: ProxyError, to client: Version?) -> ByteBuffer? { nil }

    @inlinable
    public func glance(at bytes: inout PeekBuffer, from client: Version, in session: Session) -> Glance? { .unusual }

    @inlinable
    public func sharesConnections(_ session: Session) -> Bool { false }

    @inlinable
    public func glanceReply(at bytes: inout PeekBuffer, from version: Version) -> Bool? { false }

    public func choose(_ replies: [(version: Version, reply: Reply)], to request: Request) -> Int {
        replies.count - 1
    }

    public func agree(_ one: Reply, _ other: Reply, on request: Request) -> Bool { judge(one) == judge(other) }

    public func effect(of request: Request, reply: Reply) -> Effect<Request> { .copy }

    public func isIdempotent(_ request: Request) -> Bool { false }

    public var writePolicy: WritePolicy { .allOrFail }

    public var copiesKeys: Bool { false }

    public func announcesClient(to version: Version) -> Bool { false }

    public func forwards(_ request: Request, from client: Version, to version: Version) -> Bool { client == version }

    public func forwards(_ reply: Reply, to request: Request, from version: Version, for client: Version) -> Bool {
        client == version
    }

    public func encode(_ request: Request, for version: Version) throws(ProxyError) -> ByteBuffer {
        preconditionFailure("an adapter that does not forward a request has to encode it")
    }

    public func settled(_ request: Request, with reply: Reply, in session: inout Session) {}

    public func greeting(_ session: Session, to version: Version) -> [Request] { [] }

    public func resumption(_ session: Session, of client: Version) -> [Request] { greeting(session, to: client) }
}

extension MessageAdapter where Session == NoSession {
    public func makeSession() -> NoSession { NoSession() }
}

extension MessageAdapter {
    /// The look at a reply of ``glanceReply(at:from:)`` by parsing it: right where equal replies are equal bytes.
    public func isAnswer(_ bytes: inout PeekBuffer, to request: Request, from version: Version = 1) -> Bool? {
        do throws(ProxyError) {
            return try parseReply(&bytes, to: request, from: version).map { judge($0) == .answer }
        } catch {
            return false
        }
    }
}
