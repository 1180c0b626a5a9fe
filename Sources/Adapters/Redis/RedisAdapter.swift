public import VersionKit

/// Shows the clients of a Redis one consistent server while two versions of it run side by side.
///
/// Reads go to the newest version, writes to both in one order per key; what a write does by chance or by the time of
/// day one version does, and the other gets the state of its keys. README.md lists what is done with each command.
///
/// Both versions are unmodified servers of 7.0 or newer, without a cluster and without replicas. State is copied with
/// `DUMP` and `RESTORE`, which a server takes from the same or an older version only.
public struct RedisAdapter: KeyedAdapter {
    let commands = RespCommandTable.redis
    let roles = CommandRoles.all
    let glances = Self.glances

    /// The adapter; it has no state.
    public init() {}

    // MARK: Framing

    public func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> RespRequest? {
        try RespRequest(&bytes, commands)
    }

    public func parseReply(
        _ bytes: inout PeekBuffer, to request: RespRequest, from version: Version
    ) throws(ProxyError) -> RespReply? {
        let reply = try RespReply(&bytes, to: request)
        guard let number = request.commandNumber, roles[number].policy == .cursor else { return reply }
        return reply.map { tagged($0, version) }
    }

    // MARK: What replies mean

    public func judge(_ reply: RespReply) -> Verdict {
        guard reply.isError else { return .answer }
        // Some errors are of the server's state, and another server may not be in it.
        let transient = ["LOADING", "BUSY", "OOM", "MISCONF", "READONLY", "MASTERDOWN"]
        return transient.contains { reply.text.hasPrefix($0) } ? .failure : .rejection
    }

    public func agree(_ one: RespReply, _ other: RespReply, on request: RespRequest) -> Bool {
        // An error of the library's own requests says nothing about the key.
        if one.isError || other.isError { return one.isError && other.isError && request.policy != nil }
        switch request.policy {
        case .session, .watch: return true
        case .exec:
            let (left, right) = (one.elements, other.elements)
            guard left.count == right.count else { return false }
            // What a transaction only reads is no matter of agreement.
            let commands = request.preceding.filter { $0.policy != nil }
            return zip(commands, zip(left, right)).allSatisfy { command, replies in
                effect(of: command, in: 0).kind != .write || replies.0.value == replies.1.value
            }
        // Libraries of functions are listed in any order.
        case nil where request.matches(0, "function"): return one.leaves == other.leaves
        default: return one.value == other.value
        }
    }

    public func isIdempotent(_ request: RespRequest) -> Bool {
        guard let number = request.commandNumber, roles[number].isIdempotent else { return false }
        // A condition may hold only once.
        return !request.matches(0, "set") || !["nx", "xx", "get"].contains { request.index(of: $0, from: 3) != nil }
    }

    // MARK: Sessions

    public func makeSession() -> RedisSession { RedisSession() }

    public func settled(_ request: RespRequest, with reply: RespReply, in session: inout RedisSession) {
        if !reply.isError { session.settle(request) }
    }

    public func greeting(_ session: RedisSession, to version: Version) -> [RespRequest] { session.greeting }

    public func resumption(_ session: RedisSession, of client: Version) -> [RespRequest] { session.resumption }
}
