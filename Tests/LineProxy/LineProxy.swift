import VersionKit

/// A proxy that tests kill: lines go to versions which may be down, and whose keys cannot be copied.
@main
enum LineProxy {
    static func main() async throws { try await ProxyProcess.run(PatientLineAdapter()) }
}

/// Lines: `set...` writes and may be done twice, `add...` writes and may not, whatever else is there reads. All writes
/// touch the same key.
struct PatientLineAdapter: MessageAdapter {
    var writePolicy: WritePolicy { .catchUp }

    func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> String? {
        bytes.peek(upTo: UInt8(ascii: "\n"), lengthMax: 1024).map { String(buffer: $0) }
    }

    func parseReply(
        _ bytes: inout PeekBuffer, to request: String, from version: Version
    ) throws(ProxyError) -> String? {
        bytes.peek(upTo: UInt8(ascii: "\n"), lengthMax: 1024).map { String(buffer: $0) }
    }

    func dispatch(_ request: inout String, _ context: inout DispatchContext<NoSession>) -> Dispatch<String> {
        request.hasPrefix("set") || request.hasPrefix("add") ? .all(.key(ByteBuffer(string: "key"))) : .choose
    }

    func encode(_ request: String, for version: Version) throws(ProxyError) -> ByteBuffer {
        ByteBuffer(string: request + "\n")
    }

    func encode(_ reply: String, to request: String, for client: Version) throws(ProxyError) -> ByteBuffer {
        ByteBuffer(string: reply + "\n")
    }

    func judge(_ reply: String) -> Verdict { reply.hasPrefix("!") ? .failure : .answer }
    func isIdempotent(_ request: String) -> Bool { request.hasPrefix("set") }
    func failure(_ error: ProxyError, of request: String) -> String { "!\(error.code)" }
}
