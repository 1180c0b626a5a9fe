import NIOCore
import VersionKitModel
import VersionKitProxy
import VersionKitTesting
import VersionKitWire

/// A protocol of lines in which version 1's begin with `1` and version 2's with `2`, so that translation is visible.
///
/// The verb is the first letter: `n` newest first, `a` all, `A` all and copied if missed, `z` all and forgotten if
/// missed, `l` lead (a number by chance), `c` choose, `o` only version 1, `p` answered by the proxy, `s` session, `v` a strategy that joins
/// everyone's answers, `e` one without an end, `d` one that asks version 1 twice at once. After the verb come the keys,
/// `ax,y=5`; `a*` is about all of them. What ends with `+` may be done twice.
///
/// Replies: `!` is a failure, `?` a miss, anything else an answer. To `l` they are `=5`, which the others do by `a`,
/// `none` if nothing was changed, or anything but `ok`, and the others get a copy.
struct ToyAdapter: MessageAdapter {
    var writePolicy = WritePolicy.allOrFail
    var copiesKeys = false

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
        guard request.first != "l" || line.dropFirst() != "ok" else { throw .malformedReply("what came of it?") }
        return String(line.dropFirst())
    }

    private func line(_ bytes: inout PeekBuffer) -> String? {
        bytes.peek(upTo: UInt8(ascii: "\n"), lengthMax: 100).map { String(buffer: $0) }
    }

    func goodbye(_ error: ProxyError, to client: Version?) -> ByteBuffer? { ByteBuffer(string: "bye\n") }

    func dispatch(_ request: inout String, _ context: inout DispatchContext<String>) -> Dispatch<String> {
        switch request.first {
        case "n": .newestFirst
        case "a": .all(keys(of: request))
        case "A": .all(keys(of: request), missed: .copy)
        case "z": .all(keys(of: request), missed: .nothing)
        case "l": .lead(keys(of: request))
        case "o": .only(1)
        case "p": .answer("proxy")
        case "s": .session
        case "v": .custom(Strategy { $1.isEmpty ? .ask(Array($0)) : .answer($1.map(\.reply).sorted().joined()) })
        case "e": .custom(Strategy { versions, _ in .ask(Array(versions)) })
        case "d": .custom(Strategy { _, answers in answers.isEmpty ? .ask([1, 1]) : .give(0) })
        default: .choose
        }
    }

    private func keys(of request: String) -> Keys {
        let names = request.dropFirst().prefix { $0 != "=" && $0 != "+" }
        if names == "*" { return .everything }
        return Keys(names.split(separator: ",").map { ByteBuffer(substring: $0) })
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

    func effect(of request: String, reply: String) -> Effect<String> {
        if reply == "none" { return .nothing }
        return reply.hasPrefix("=") ? .request("a" + request.dropFirst() + reply) : .copy
    }

    func isIdempotent(_ request: String) -> Bool { request.hasSuffix("+") }

    func failure(_ error: ProxyError, of request: String) -> String { "!\(error.code)" }

    // MARK: The session is a name

    func makeSession() -> String { "" }

    func settled(_ request: String, with reply: String, in session: inout String) {
        if judge(reply) == .answer { session = String(request.dropFirst()) }
    }

    func greeting(_ session: String, to version: Version) -> [String] { session.isEmpty ? [] : ["s" + session] }
}

/// Plays a script with the toy adapter, in memory: with all bytes of a line at once, and one by one.
func play(_ text: String, _ adapter: ToyAdapter = ToyAdapter(), limits: Limits = .standard) throws {
    let script = try Script(text)
    try script.run(adapter, limits: limits)
    try script.run(adapter, limits: limits, byteByByte: true)
}

extension ToyAdapter {
    /// What is missed is brought later: by the requests themselves.
    static let replaying = ToyAdapter(writePolicy: .catchUp)
    /// As a `KeyedAdapter` would have it.
    static let copying = ToyAdapter(writePolicy: .catchUp, copiesKeys: true)
}
