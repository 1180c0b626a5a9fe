import NIOCore
import VersionKitModel
import VersionKitProxy
import VersionKitWire

/// Lines: `add KEY` writes, `get KEY` reads, `set KEY STATE` installs, `keys` lists; a reply with `!` is a refusal.
struct KeyedLineAdapter: KeyedAdapter {
    func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> String? { line(&bytes) }

    func parseReply(
        _ bytes: inout PeekBuffer, to request: String, from version: Version
    ) throws(ProxyError) -> String? { line(&bytes) }

    private func line(_ bytes: inout PeekBuffer) -> String? {
        bytes.peek(upTo: UInt8(ascii: "\n"), lengthMax: 1024).map { String(buffer: $0) }
    }

    func dispatch(_ request: inout String, _ context: inout DispatchContext<NoSession>) -> Dispatch<String> {
        request.hasPrefix("add ") ? .all(.key(ByteBuffer(substring: request.dropFirst(4)))) : .newestFirst
    }

    func judge(_ reply: String) -> Verdict { reply.hasPrefix("!") ? .failure : .answer }

    func failure(_ error: ProxyError, of request: String) -> String { "!\(error.code)" }

    func encode(_ request: String, for version: Version) throws(ProxyError) -> ByteBuffer {
        ByteBuffer(string: request + "\n")
    }

    func encode(_ reply: String, to request: String, for client: Version) throws(ProxyError) -> ByteBuffer {
        ByteBuffer(string: reply + "\n")
    }

    func list(after cursor: Never?) -> [String] { ["keys"] }

    func page(_ replies: [String], after cursor: Never?) throws(ProxyError) -> (keys: [ByteBuffer], next: Never?) {
        ([], nil)
    }

    func read(_ key: ByteBuffer) -> [String] { ["get " + String(buffer: key)] }

    func install(_ key: ByteBuffer, from replies: [String], milliseconds: Int64) throws(ProxyError) -> [String] {
        ["set \(String(buffer: key)) \(replies[0])"]
    }
}
