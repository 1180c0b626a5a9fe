public import VersionKit

/// Shows the clients of a Redis one consistent server while two versions of it run side by side.
///
/// Reads go to the newest version, writes to both in one order per key; what a write does by chance or by the time of
/// day one version does, and the other gets the state of its keys. README.md lists what is done with each command.
///
/// Both versions are unmodified servers of 7.0 or newer, without a cluster and without replicas. State is copied with
/// `DUMP` and `RESTORE`, which a server takes from the same or an older version only.
public struct RedisAdapter: KeyedAdapter {
    let commands = CommandTable.standard

    /// The adapter; it has no state.
    public init() {}

    // MARK: Framing

    public func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> RedisRequest? {
        let blank = try bytes.withUnsafeAvailableBytes { bytes throws(ProxyError) -> Int in
            var scanner = RespScanner(bytes)
            try scanner.skipBlank()
            return scanner.position
        }
        bytes.skip(blank)
        let found = try bytes.withUnsafeAvailableBytes { bytes throws(ProxyError) -> Found? in
            var scanner = RespScanner(bytes)
            guard let first = bytes.first else { return nil }
            guard first == UInt8(ascii: "*") else {
                return try scanner.inlineWords().map { .inline($0, length: scanner.position) }
            }
            guard let parts = try scanner.arguments() else { return nil }
            return .array(parts, commands.find(parts, in: bytes), length: scanner.position)
        }
        switch found {
        case nil: return nil
        case .array(let parts, let command, let length):
            return bytes.peek(length).map { RedisRequest($0, parts, command, isRewritten: blank > 0) }
        case .inline(let words, let length):
            bytes.skip(length)
            // The form that all other requests have.
            var request = RedisRequest(words)
            request.command = commands.find(for: request)
            return request
        }
    }

    private enum Found {
        case array([RespScanner.Part], RedisCommand?, length: Int)
        case inline([ByteBuffer], length: Int)
    }

    public func parseReply(
        _ bytes: inout PeekBuffer, to request: RedisRequest, from version: Version
    ) throws(ProxyError) -> RedisReply? {
        let found = try bytes.withUnsafeAvailableBytes {
            bytes throws(ProxyError) -> (begin: Int, kind: UInt8, start: Int, end: Int)? in
            var scanner = RespScanner(bytes)
            for _ in 0..<request.skippedReplies { guard try scanner.reply() != nil else { return nil } }
            let begin = scanner.position
            guard let (kind, start) = try scanner.reply() else { return nil }
            return (begin, kind, start - begin, scanner.position)
        }
        guard let found else { return nil }
        bytes.skip(found.begin)
        guard let text = bytes.peek(found.end - found.begin) else { return nil }
        let reply = RedisReply(text, kind: found.kind, start: found.start, isRewritten: request.skippedReplies > 0)
        return request.command?.policy == .cursor ? tagged(reply, version) : reply
    }

    public func goodbye(_ error: ProxyError, to client: Version?) -> ByteBuffer? {
        error.code == .malformed
            ? RedisReply(line: "-ERR Protocol error: \(error.message)").bytes : RedisReply.error(error.message).bytes
    }

    // MARK: Decisions

    public func judge(_ reply: RedisReply) -> Verdict {
        guard reply.isError else { return .answer }
        // Some errors are of the server's state, and another server may not be in it.
        let isTransient = ["LOADING", "BUSY", "OOM", "MISCONF", "READONLY", "MASTERDOWN"].contains {
            reply.line.hasPrefix($0)
        }
        return isTransient ? .failure : .rejection
    }

    public func agree(_ one: RedisReply, _ other: RedisReply, on request: RedisRequest) -> Bool {
        // An error of the library's own requests says nothing about the key.
        if one.isError || other.isError { return one.isError && other.isError && request.command != nil }
        switch request.command?.policy {
        case .session, .watch: return true
        case .exec:
            let (left, right) = (one.elements, other.elements)
            guard left.count == right.count else { return false }
            return zip(zip(left, right), request.compared).allSatisfy { !$1 || $0.0 == $0.1 }
        // Libraries of functions are listed in any order.
        case nil where request.matches(0, "function"): return one.leaves == other.leaves
        default: return one.value == other.value
        }
    }

    public func isIdempotent(_ request: RedisRequest) -> Bool {
        guard let command = request.command, command.isIdempotent else { return false }
        // A condition may hold only once.
        return command.name != "set" || !["nx", "xx", "get"].contains { request.index(of: $0, from: 3) != nil }
    }

    public func failure(_ error: ProxyError, of request: RedisRequest) -> RedisReply { .error(error.message) }

    // MARK: Translation

    public func forwards(_ request: RedisRequest, from client: Version, to version: Version) -> Bool {
        !request.isRewritten
    }

    public func forwards(
        _ reply: RedisReply, to request: RedisRequest, from version: Version, for client: Version
    ) -> Bool { !reply.isRewritten }

    public func encode(_ request: RedisRequest, for version: Version) throws(ProxyError) -> ByteBuffer { request.bytes }

    public func encode(
        _ reply: RedisReply, to request: RedisRequest, for client: Version
    ) throws(ProxyError) -> ByteBuffer { reply.bytes }

    // MARK: Sessions

    public func makeSession() -> RedisSession { RedisSession() }

    public func settled(_ request: RedisRequest, with reply: RedisReply, in session: inout RedisSession) {
        if !reply.isError { session.settle(request) }
    }

    public func greeting(_ session: RedisSession, to version: Version) -> [RedisRequest] { session.greeting }

    public func resumption(_ session: RedisSession, of client: Version) -> [RedisRequest] { session.resumption }
}
