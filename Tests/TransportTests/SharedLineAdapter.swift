import NIOCore
import VersionKitModel
import VersionKitProxy
import VersionKitWire

/// Short lines on connections that clients share; `+SIZE NAME` is followed by so many bytes. What begins with `i` may be
/// done twice.
struct SharedLineAdapter: MessageAdapter {
    private func message(_ bytes: inout PeekBuffer) -> String? {
        guard let line = bytes.peek(upTo: UInt8(ascii: "\n"), lengthMax: 1024) else { return nil }
        let head = String(buffer: line)
        guard head.hasPrefix("+") else { return head }
        let size = head.dropFirst().split(separator: " ").first.flatMap { Int($0) } ?? 0
        return bytes.peek(size).map { _ in head }
    }

    func glance(at bytes: inout PeekBuffer, from client: Version, in session: NoSession) -> Glance? {
        message(&bytes).map { _ in .other }
    }

    func glanceReply(at bytes: inout PeekBuffer, from version: Version) -> Bool? { message(&bytes).map { _ in true } }

    func sharesConnections(_ session: NoSession) -> Bool { true }

    func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> String? {
        message(&bytes)
    }

    func parseReply(
        _ bytes: inout PeekBuffer, to request: String, from version: Version
    ) throws(ProxyError) -> String? {
        message(&bytes)
    }

    func dispatch(_ request: inout String, _ context: inout DispatchContext<NoSession>) -> Dispatch<String> {
        .newestFirst
    }

    func encode(_ reply: String, to request: String, for client: Version) throws(ProxyError) -> ByteBuffer {
        ByteBuffer(string: reply + "\n")
    }

    func judge(_ reply: String) -> Verdict { reply.hasPrefix("!") ? .failure : .answer }

    func isIdempotent(_ request: String) -> Bool { request.hasPrefix("i") }

    func failure(_ error: ProxyError, of request: String) -> String { "!\(error.code)" }
}
