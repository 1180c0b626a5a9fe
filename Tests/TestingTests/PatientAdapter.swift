import NIOCore
import VersionKitModel
import VersionKitProxy
import VersionKitWire

/// Lines of which `set KEY VALUE` are writes. Its keys cannot be copied, and versions may miss writes for a while.
struct PatientAdapter: MessageAdapter {
    var writePolicy: WritePolicy { .catchUp }

    func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> String? {
        bytes.peek(upTo: UInt8(ascii: "\n"), lengthMax: 100).map { String(buffer: $0) }
    }

    func parseReply(_ bytes: inout PeekBuffer, to _: String, from _: Version) throws(ProxyError) -> String? {
        bytes.peek(upTo: UInt8(ascii: "\n"), lengthMax: 100).map { String(buffer: $0) }
    }

    func dispatch(_ request: inout String, _ context: inout DispatchContext<NoSession>) -> Dispatch<String> {
        let words = request.split(separator: " ")
        return words.first == "set" && words.count > 1 ? .all(.key(ByteBuffer(substring: words[1]))) : .newestFirst
    }

    func judge(_ reply: String) -> Verdict { reply == "ok" ? .answer : .failure }

    func isIdempotent(_ request: String) -> Bool { true }

    func failure(_ error: ProxyError, of request: String) -> String { "error \(error.code)" }

    func encode(_ request: String, for version: Version) throws(ProxyError) -> ByteBuffer {
        ByteBuffer(string: request + "\n")
    }

    func encode(_ reply: String, to request: String, for client: Version) throws(ProxyError) -> ByteBuffer {
        ByteBuffer(string: reply + "\n")
    }
}
