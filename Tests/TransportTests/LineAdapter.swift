import NIOCore
import VersionKitModel
import VersionKitProxy
import VersionKitWire

/// A protocol of lines, the same for all versions: `r...` reads and asks all, `w...` writes to all, `n...` asks the newest
/// first; a reply that begins with `!` is a failure. Requests with `i`, and writes with `wi`, may be done twice.
struct LineAdapter: MessageAdapter {
    var writePolicy = WritePolicy.allOrFail

    func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> String? {
        try line(&bytes)
    }

    func parseReply(
        _ bytes: inout PeekBuffer, to request: String, from version: Version
    ) throws(ProxyError) -> String? {
        try line(&bytes)
    }

    private func line(_ bytes: inout PeekBuffer) throws(ProxyError) -> String? {
        guard let line = bytes.peek(upTo: UInt8(ascii: "\n"), lengthMax: 1024) else {
            guard bytes.availableBytes <= 1024 else { throw .malformedRequest("a line without an end") }
            return nil
        }
        return String(buffer: line)
    }

    func dispatch(_ request: inout String, _ context: inout DispatchContext<NoSession>) -> Dispatch<String> {
        switch request.first {
        case "w": .all(.key(ByteBuffer(string: request)))
        case "n": .newestFirst
        default: .choose
        }
    }

    func encode(_ request: String, for version: Version) throws(ProxyError) -> ByteBuffer {
        ByteBuffer(string: request + "\n")
    }

    func encode(_ reply: String, to request: String, for client: Version) throws(ProxyError) -> ByteBuffer {
        ByteBuffer(string: reply + "\n")
    }

    func judge(_ reply: String) -> Verdict { reply.hasPrefix("!") ? .failure : .answer }

    func isIdempotent(_ request: String) -> Bool { request.hasPrefix("i") || request.hasPrefix("wi") }

    func announcesClient(to version: Version) -> Bool { version == 9 }

    func goodbye(_ error: ProxyError, to client: Version?) -> ByteBuffer? { ByteBuffer(string: "bye \(error.code)\n") }

    func failure(_ error: ProxyError, of request: String) -> String { "!\(error.code)" }
}
