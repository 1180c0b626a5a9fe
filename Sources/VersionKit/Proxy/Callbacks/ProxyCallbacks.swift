public import NIOCore
public import VersionKitModel
public import VersionKitWire

/// The interface between the proxy framework and an application, at the papers' height.
///
/// It can express everything; most adapters are shorter at the height of ``MessageAdapter``, which is built on it. One
/// value serves one client connection. Its methods are called on that connection's event loop, one at a time, and must
/// not block.
///
/// - Note: S 3.4, figure 4; R12.
public protocol ProxyCallbacks: Sendable {
    /// Bytes came from the client.
    ///
    /// Called again at once with what is left as long as it consumes something, and later with the same bytes plus
    /// more if it returned 0.
    ///
    /// - Parameters:
    ///   - client: the version whose client protocol this listener speaks; `nil` where the clients of several versions
    ///     share a port and the bytes have to tell.
    ///   - data: all bytes that were not consumed yet; the peek mark is at the first one.
    ///   - connection: where to send what.
    /// - Returns: how many bytes were used, 0 for "not complete yet".
    /// - Throws: ``ProxyError`` if the connection cannot go on: it is closed, after what was enqueued.
    mutating func handleRequest(
        from client: Version?, _ data: inout PeekBuffer, _ connection: inout ConnectionHandler
    ) throws(ProxyError) -> Int

    /// Bytes came from a version. As ``handleRequest(from:_:_:)``.
    ///
    /// - Throws: ``ProxyError`` if this version's connection cannot go on: it is closed, and
    ///   ``versionLost(_:_:)`` follows.
    mutating func handleReply(
        from version: Version, _ data: inout PeekBuffer, _ connection: inout ConnectionHandler
    ) throws(ProxyError) -> Int

    /// Bytes came from a version on a shared connection, and the first reply in them is this client's. As
    /// ``handleReply(from:_:_:)``; how many replies were used goes to ``ConnectionHandler/noteSharedReplies(_:)``. By
    /// default nothing is ever sent on one.
    mutating func handleSharedReply(
        from version: Version, _ data: inout PeekBuffer, _ connection: inout ConnectionHandler
    ) throws(ProxyError) -> Int

    /// As ``versionLost(_:_:)`` for the shared connection.
    mutating func sharedConnectionLost(_ version: Version, _ connection: inout ConnectionHandler)

    /// The connection to a version ended, could not be opened, or was silent for too long: replies that were still to
    /// come will not. The engine opens a new connection when something is enqueued for the version again.
    mutating func versionLost(_ version: Version, _ connection: inout ConnectionHandler)

    /// Versions appeared or retired; ``ConnectionHandler/versions`` has the new list.
    mutating func versionsChanged(_ connection: inout ConnectionHandler)

    /// A write that was to be ordered has its turn: no other write to its keys is under way until
    /// ``ConnectionHandler/finish(_:)``. By default nothing.
    mutating func ordered(_ number: Int, _ connection: inout ConnectionHandler)

    /// The client cannot be served on: its bytes are over a limit, or it took too long. By default its connection is
    /// closed; a better answer says why, after the replies that are still to come.
    mutating func refuse(_ error: ProxyError, _ connection: inout ConnectionHandler)

    /// Whether a reply of this version is still to come: if none comes in ``Limits/replyTimeout``, the version is lost.
    func isAwaiting(_ version: Version) -> Bool

    /// Whether this version is told the client's address, by a header of the PROXY protocol (version 2) in front of
    /// the client's connection to it. By default not.
    func announcesClient(to version: Version) -> Bool

    /// Requests which bring a fresh connection into this client's session, with their number, for the newer proxy that
    /// its connection moves to between two requests; `nil` if they cannot be had at the moment. By default none.
    func resumption() -> (bytes: ByteBuffer, replies: Int)?

    /// The first so many requests are a ``resumption()``: the client gets no replies to them. By default nothing.
    mutating func resume(silentReplies: Int)

    /// Whether no request is under way, so that the client's connection may move to a newer proxy.
    var isQuiescent: Bool { get }
}

extension ProxyCallbacks {
    public func resumption() -> (bytes: ByteBuffer, replies: Int)? { (ByteBuffer(), 0) }

    public mutating func resume(silentReplies: Int) {}

    public mutating func handleSharedReply(
        from version: Version, _ data: inout PeekBuffer, _ connection: inout ConnectionHandler
    ) throws(ProxyError) -> Int {
        preconditionFailure("a reply on a shared connection on which nothing was sent")
    }

    public mutating func sharedConnectionLost(_ version: Version, _ connection: inout ConnectionHandler) {}

    public func announcesClient(to version: Version) -> Bool { false }

    public mutating func ordered(_ number: Int, _ connection: inout ConnectionHandler) {}

    public mutating func refuse(_ error: ProxyError, _ connection: inout ConnectionHandler) {
        connection.closeClient(error)
    }
}
