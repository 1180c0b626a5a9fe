public import VersionKit

/// Shows IrisLog's clients, of either protocol, one consistent system while versions 1 and 2 run side by side.
///
/// The papers' rules (S 4.2.2, R25): a query goes to all versions in parallel and the longest answer is given, which
/// hides what a new version does not have yet; an update goes to all and succeeds if and only if all succeed.
public struct IrisLogAdapter: MessageAdapter {
    /// The first version that speaks protocol 2.
    static let protocol2: Version = 2

    /// The adapter; it has no state.
    public init() {}

    /// A frame of protocol 2 begins with the high byte of its length, which its limit keeps at 0 or 1; protocol 1 is text.
    public func identifyClient(_ bytes: inout PeekBuffer) throws(ProxyError) -> Version? {
        bytes.peekInteger(as: UInt8.self).map { $0 <= 1 ? 2 : 1 }
    }

    public func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> IrisLogRequest? {
        try client < Self.protocol2 ? Protocol1.request(&bytes) : Protocol2.request(&bytes)
    }

    public func parseReply(
        _ bytes: inout PeekBuffer, to request: IrisLogRequest, from version: Version
    ) throws(ProxyError) -> IrisLogReply? {
        try version < Self.protocol2 ? Protocol1.reply(&bytes) : Protocol2.reply(&bytes)
    }

    public func dispatch(
        _ request: inout IrisLogRequest, _ context: inout DispatchContext<NoSession>
    ) -> Dispatch<IrisLogReply> {
        switch request.kind {
        case .query: .choose
        case .update(let path, let sensor, _, _, _): .all(.key(ByteBuffer(string: path + " " + sensor)))
        case .export, .ping: .newestFirst
        case .merge: .answer(.error(code: .query, message: "merging is for migrators, not for clients"))
        case .invalid(let why): .answer(.error(code: .syntax, message: why))
        }
    }

    public func encode(_ request: IrisLogRequest, for version: Version) throws(ProxyError) -> ByteBuffer {
        try version < Self.protocol2 ? Protocol1.encode(request) : Protocol2.encode(request)
    }

    public func encode(
        _ reply: IrisLogReply, to request: IrisLogRequest, for client: Version
    ) throws(ProxyError) -> ByteBuffer {
        client < Self.protocol2 ? Protocol1.encode(reply) : Protocol2.encode(reply, id: request.id)
    }

    public func judge(_ reply: IrisLogReply) -> Verdict {
        if case .error = reply { .failure } else { .answer }
    }

    /// The longest answer; of equally long ones the newest version's.
    public func choose(_ replies: [(version: Version, reply: IrisLogReply)], to request: IrisLogRequest) -> Int {
        let lengths = replies.map { Self.length($0.reply) }
        return replies.indices.max { (lengths[$0], $0) < (lengths[$1], $1) } ?? 0
    }

    public func failure(_ error: ProxyError, of request: IrisLogRequest) -> IrisLogReply {
        .error(code: .internal, message: error.message)
    }

    /// Answers are compared by their items. The length of an item says nothing: two versions may be asked in the moment
    /// in which one of them has the next reading already. A single value, such as a sum, is compared by its digits.
    private static func length(_ reply: IrisLogReply) -> Int {
        guard case .answer(let items) = reply else { return 0 }
        if items.count == 1, let value = items.first, !value.hasPrefix("<") { return value.utf8.count }
        return items.count
    }
}
