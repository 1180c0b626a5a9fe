public import NIOCore
public import VersionKitModel
public import VersionKitWire

/// The callbacks of one client connection, without their type: what the engine calls.
///
/// Made by inlinable code: the functions in it are compiled for the callbacks' own type. Not thread-safe, like the
/// callbacks themselves.
public final class AnyProxyCallbacks {
    /// As ``ProxyCallbacks/handleRequest(from:_:_:)``.
    public let handleRequest: (Version?, inout PeekBuffer, inout ConnectionHandler) throws(ProxyError) -> Int
    /// As ``ProxyCallbacks/handleReply(from:_:_:)``.
    public let handleReply: (Version, inout PeekBuffer, inout ConnectionHandler) throws(ProxyError) -> Int
    /// As ``ProxyCallbacks/handleSharedReply(from:_:_:)``.
    public let handleSharedReply: (Version, inout PeekBuffer, inout ConnectionHandler) throws(ProxyError) -> Int
    /// As ``ProxyCallbacks/sharedConnectionLost(_:_:)``.
    public let sharedConnectionLost: (Version, inout ConnectionHandler) -> Void
    /// As ``ProxyCallbacks/versionLost(_:_:)``.
    public let versionLost: (Version, inout ConnectionHandler) -> Void
    /// As ``ProxyCallbacks/versionsChanged(_:)``.
    public let versionsChanged: (inout ConnectionHandler) -> Void
    /// As ``ProxyCallbacks/ordered(_:_:)``.
    public let ordered: (Int, inout ConnectionHandler) -> Void
    /// As ``ProxyCallbacks/refuse(_:_:)``.
    public let refuse: (ProxyError, inout ConnectionHandler) -> Void
    /// As ``ProxyCallbacks/isAwaiting(_:)``.
    public let isAwaiting: (Version) -> Bool
    /// As ``ProxyCallbacks/announcesClient(to:)``.
    public let announcesClient: (Version) -> Bool
    /// As ``ProxyCallbacks/resumption()``.
    public let resumption: () -> (bytes: ByteBuffer, replies: Int)?
    /// As ``ProxyCallbacks/resume(silentReplies:)``.
    public let resume: (Int) -> Void
    @usableFromInline let quiescence: () -> Bool

    /// Takes the callbacks over.
    @inlinable
    public init<Callbacks: ProxyCallbacks>(_ callbacks: Callbacks) {
        var callbacks = callbacks
        handleRequest = { (client, data, connection) throws(ProxyError) in
            try callbacks.handleRequest(from: client, &data, &connection)
        }
        handleReply = { (version, data, connection) throws(ProxyError) in
            try callbacks.handleReply(from: version, &data, &connection)
        }
        handleSharedReply = { (version, data, connection) throws(ProxyError) in
            try callbacks.handleSharedReply(from: version, &data, &connection)
        }
        sharedConnectionLost = { callbacks.sharedConnectionLost($0, &$1) }
        versionLost = { callbacks.versionLost($0, &$1) }
        versionsChanged = { callbacks.versionsChanged(&$0) }
        ordered = { callbacks.ordered($0, &$1) }
        refuse = { callbacks.refuse($0, &$1) }
        isAwaiting = { callbacks.isAwaiting($0) }
        announcesClient = { callbacks.announcesClient(to: $0) }
        resumption = { callbacks.resumption() }
        resume = { callbacks.resume(silentReplies: $0) }
        quiescence = { callbacks.isQuiescent }
    }

    /// As ``ProxyCallbacks/isQuiescent``.
    public var isQuiescent: Bool { quiescence() }
}
