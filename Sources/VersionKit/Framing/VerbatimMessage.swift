public import NIOCore
public import VersionKitModel
public import VersionKitProxy

/// A message that holds its bytes, in a protocol that all versions share: what adapters of such protocols use for
/// requests and replies, so that nothing needs to be encoded.
public protocol VerbatimMessage: Sendable {
    /// The message's bytes.
    var bytes: ByteBuffer { get }
    /// Whether they are others than those that were received.
    var isRewritten: Bool { get }
}

extension MessageAdapter where Request: VerbatimMessage {
    /// The client's own bytes are good for every version, unless something in them was changed.
    @inlinable
    public func forwards(_ request: Request, from client: Version, to version: Version) -> Bool { !request.isRewritten }

    /// The request's bytes.
    @inlinable
    public func encode(_ request: Request, for version: Version) throws(ProxyError) -> ByteBuffer { request.bytes }
}

extension MessageAdapter where Reply: VerbatimMessage {
    /// A version's own bytes are good for every client, unless something in them was changed.
    @inlinable
    public func forwards(
        _ reply: Reply, to request: Request, from version: Version, for client: Version
    ) -> Bool { !reply.isRewritten }

    /// The reply's bytes.
    @inlinable
    public func encode(
        _ reply: Reply, to request: Request, for client: Version
    ) throws(ProxyError) -> ByteBuffer { reply.bytes }
}
