import NIOCore
import VersionKitModel
import VersionKitProxy
import VersionKitWire

/// A protocol of lines in which version 1's begin with `1` and version 2's with `2`, so that translation is visible.
///
/// The verb is the first letter: `n` newest first, `a` all, `c` choose, `o` only version 1, `p` answered by the proxy.
/// Replies: `!` is a failure, `?` a miss, anything else an answer.
struct ToyAdapter: MessageAdapter {
    func identifyClient(_ bytes: inout PeekBuffer) throws(ProxyError) -> Version? {
        guard let byte = bytes.peekInteger(as: UInt8.self) else { return nil }
        guard let version = Version(String(UnicodeScalar(byte))), version <= 3 else {
            throw .malformedRequest("no version begins with \(byte)")
        }
        return version
    }

    func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> String? {
        line(&bytes).map { String($0.dropFirst()) }
    }

    func parseReply(
        _ bytes: inout PeekBuffer, to request: String, from version: Version
    ) throws(ProxyError) -> String? {
        guard let line = line(&bytes) else { return nil }
        guard line.hasPrefix("\(version)") else { throw .malformedReply("'\(line)' is not version \(version)'s") }
        return String(line.dropFirst())
    }

    private func line(_ bytes: inout PeekBuffer) -> String? {
        bytes.peek(upTo: UInt8(ascii: "\n"), lengthMax: 100).map { String(buffer: $0) }
    }

    func dispatch(_ request: inout String, _ context: inout DispatchContext<NoSession>) -> Dispatch<String> {
        switch request.first {
        case "n": .newestFirst
        case "a": .all(.none)
        case "o": .only(1)
        case "p": .answer("proxy")
        default: .choose
        }
    }

    func encode(_ request: String, for version: Version) throws(ProxyError) -> ByteBuffer {
        ByteBuffer(string: "\(version)\(request)\n")
    }

    func encode(_ reply: String, to request: String, for client: Version) throws(ProxyError) -> ByteBuffer {
        ByteBuffer(string: "\(client)\(reply)\n")
    }

    func judge(_ reply: String) -> Verdict {
        reply.hasPrefix("!") ? .failure : reply.hasPrefix("?") ? .miss : .answer
    }

    /// The longest.
    func choose(_ replies: [(version: Version, reply: String)], to request: String) -> Int {
        let lengths = replies.map(\.reply.count)
        return replies.indices.max { (lengths[$0], $0) < (lengths[$1], $1) } ?? 0
    }

    func failure(_ error: ProxyError, of request: String) -> String { "!\(error.code)" }
}

/// A client's conversation through a ``MessageProxy``, without sockets: what goes to whom is kept as text.
struct Conversation {
    var proxy: MessageProxy<ToyAdapter>
    var versions: VersionList
    private var client = PeekBuffer()
    private var replies: [Version: PeekBuffer] = [:]
    /// What was sent to each version.
    private(set) var sent: [Version: String] = [:]
    /// What the client got.
    private(set) var received = ""
    private(set) var needed: [Version] = []
    private(set) var failed = 0
    private(set) var closed: ProxyError?

    init(_ versions: VersionList, limits: Limits = .standard) {
        proxy = MessageProxy(ToyAdapter(), limits: limits)
        self.versions = versions
    }

    /// The client sends; as the engine does, the callbacks are called as long as they consume something.
    mutating func say(_ text: String) throws(ProxyError) {
        client.append(ByteBuffer(string: text))
        try processClient()
    }

    private mutating func processClient() throws(ProxyError) {
        var used = 1
        while used > 0, client.count > 0 {
            client.resetPeek()
            var handler = ConnectionHandler(versions: versions)
            used = try proxy.handleRequest(from: nil, &client, &handler)
            client.consume(used)
            perform(&handler)
        }
    }

    /// A version sends.
    mutating func reply(_ text: String, from version: Version) throws(ProxyError) {
        var bytes = replies[version] ?? PeekBuffer()
        bytes.append(ByteBuffer(string: text))
        var used = 1
        while used > 0, bytes.count > 0 {
            bytes.resetPeek()
            var handler = ConnectionHandler(versions: versions)
            used = try proxy.handleReply(from: version, &bytes, &handler)
            bytes.consume(used)
            perform(&handler)
        }
        replies[version] = bytes
        try processClient()
    }

    mutating func lose(_ version: Version) {
        var handler = ConnectionHandler(versions: versions)
        proxy.versionLost(version, &handler)
        perform(&handler)
    }

    mutating func change(_ versions: VersionList) {
        self.versions = versions
        var handler = ConnectionHandler(versions: versions)
        proxy.versionsChanged(&handler)
        perform(&handler)
    }

    private mutating func perform(_ handler: inout ConnectionHandler) {
        for action in handler.takeActions() {
            switch action {
            case .send(let bytes, let version): sent[version, default: ""] += String(buffer: bytes)
            case .reply(let bytes): received += String(buffer: bytes)
            case .needed(let version): needed.append(version)
            case .answered(let isFailure): failed += isFailure ? 1 : 0
            case .closeClient(let error): closed = error
            case .sendShared, .order, .orderRun, .answeredRun, .finish, .catchUp, .drop, .diverged: break
            }
        }
    }
}
