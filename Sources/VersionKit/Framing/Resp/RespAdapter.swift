public import NIOCore
public import VersionKitModel
public import VersionKitProxy
public import VersionKitWire

/// What adapters for servers that speak RESP have in common.
extension MessageAdapter where Request == RespRequest, Reply == RespReply {
    public func goodbye(_ error: ProxyError, to client: Version?) -> ByteBuffer? {
        error.code == .malformed
            ? RespReply(line: "-ERR Protocol error: \(error.message)").bytes : RespReply.refusal(error.message).bytes
    }

    public func failure(_ error: ProxyError, of request: RespRequest) -> RespReply { .refusal(error.message) }

    public func glanceReply(at bytes: inout PeekBuffer, from version: Version) -> Bool? { RespReply.glance(at: &bytes) }
}

extension RespReply {
    /// An error in VersionKit's name, so that nobody looks for it in the server.
    public static func refusal(_ text: String) -> RespReply { RespReply(line: "-ERR VersionKit: \(text)") }
}
