public import NIOCore
public import VersionKitModel
public import VersionKitWire

/// What the developer of an application writes so that its clients see one consistent system: how messages are framed,
/// which versions a request goes to, how it reads in another version's protocol, and which reply the client gets.
///
/// Pure functions over typed messages. The library does the rest: it falls back to older versions, sends to all,
/// succeeds only if all succeed, keeps pipelined replies in order, and forwards the original bytes untouched where
/// client and version speak the same protocol.
///
/// - Note: R10, R11; S 3.3. ``MessageProxy`` is the framework's part.
public protocol MessageAdapter: Sendable {
    /// A client's request, whatever protocol it came in.
    associatedtype Request: Sendable
    /// A version's reply, whatever protocol it came in.
    associatedtype Reply: Sendable

    /// Which version's client protocol begins here, asked at the beginning of each request of a connection whose
    /// listener does not say. `nil`: too few bytes to tell.
    func identifyClient(_ bytes: inout PeekBuffer) throws(ProxyError) -> Version?

    /// Reads one request: the bytes that were peeked when this returns are the request's. `nil`: not complete yet.
    func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> Request?

    /// Reads one reply, as ``parseRequest(_:from:)``.
    func parseReply(
        _ bytes: inout PeekBuffer, to request: Request, from version: Version
    ) throws(ProxyError) -> Reply?

    /// What is to be done with a request.
    func dispatch(_ request: Request, among versions: VersionList) -> Dispatch<Reply>

    /// A request in the protocol of a version that is not the client's. The framework forwards the client's own bytes
    /// where both are the same, and does not ask.
    func encode(_ request: Request, for version: Version) throws(ProxyError) -> ByteBuffer

    /// A reply in the protocol of a client that is not the version's, or one that the framework or ``dispatch(_:among:)``
    /// made up.
    func encode(_ reply: Reply, to request: Request, for client: Version) throws(ProxyError) -> ByteBuffer

    /// What a reply means for the choice of versions.
    func judge(_ reply: Reply) -> Verdict

    /// Which of several good replies the client gets: an index into `replies`, which run from the oldest version to the
    /// newest and are never empty. By default the newest one.
    func choose(_ replies: [(version: Version, reply: Reply)], to request: Request) -> Int

    /// The reply that tells a client that its request failed, and why.
    func failure(_ error: ProxyError, of request: Request) -> Reply
}

extension MessageAdapter {
    public func choose(_ replies: [(version: Version, reply: Reply)], to request: Request) -> Int {
        replies.count - 1
    }
}

/// What is done with a request (R11).
public enum Dispatch<Reply: Sendable>: Sendable {
    /// A read: the newest version is asked, and on a miss or a failure the next older one.
    case newestFirst
    /// A write: every version gets it, and it succeeded if and only if it did on all.
    case all
    /// A read of all versions in parallel: ``MessageAdapter/choose(_:to:)`` picks one of the good replies.
    case choose
    /// One version alone.
    case only(Version)
    /// The proxy answers by itself.
    case answer(Reply)
}

/// What a reply means for the choice of versions.
public enum Verdict: Sendable, Hashable {
    /// A good answer.
    case answer
    /// The version does not have what was asked for; an older one may.
    case miss
    /// The version did not do it.
    case failure
}
