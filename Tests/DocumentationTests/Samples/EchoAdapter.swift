public import VersionKit

/// The smallest adapter that does something: lines, of which those with `set` are writes. Shown by the documentation.
public struct EchoAdapter: MessageAdapter {
    /// An echo adapter.
    public init() {}

    public func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> String? {
        bytes.peek(upTo: UInt8(ascii: "\n"), lengthMax: 1024).map { String(buffer: $0) }
    }

    public func parseReply(
        _ bytes: inout PeekBuffer, to request: String, from version: Version
    ) throws(ProxyError) -> String? {
        bytes.peek(upTo: UInt8(ascii: "\n"), lengthMax: 1024).map { String(buffer: $0) }
    }

    public func dispatch(_ request: inout String, _ context: inout DispatchContext<NoSession>) -> Dispatch<String> {
        request.hasPrefix("set ") ? .all(.everything) : .newestFirst
    }

    public func judge(_ reply: String) -> Verdict { reply.hasPrefix("error") ? .failure : .answer }

    public func failure(_ error: ProxyError, of request: String) -> String { "error \(error.message)" }

    public func encode(_ request: String, for version: Version) throws(ProxyError) -> ByteBuffer {
        ByteBuffer(string: request + "\n")
    }

    public func encode(_ reply: String, to request: String, for client: Version) throws(ProxyError) -> ByteBuffer {
        ByteBuffer(string: reply + "\n")
    }
}
