public import VersionKit

/// Shows memcached's clients one consistent cache while two memcached servers run side by side.
///
/// The classic text protocol. A read asks the newest version, and the older one if that has nothing; a read of several
/// keys is one request to one version. A write goes to all.
///
/// - `noreply`: the versions are asked for replies all the same, and the client gets none.
/// - A time that is relative is made absolute, so that all versions forget a value in the same second.
/// - `gets`, `gats` and `cas`: the unique numbers of two versions differ, so these are for the newest version alone, and
///   what came of them is copied to the others. A number read before an upgrade may by chance be that of another value
///   after it: a client that depends on `cas` reads again when a new version serves.
/// - `verbosity` and `stats` are the newest version's.
/// - `flush_all` with a delay is done by the versions that run; one that is started before its time does not hear of it.
/// - Refused: meta commands, the binary protocol.
public struct MemcachedAdapter: MessageAdapter {
    public typealias Request = MemcachedRequest
    public typealias Reply = ByteBuffer

    /// Bytes of a value; it should be the servers' own limit, their option `-I`.
    private let valueMax: Int

    /// The adapter.
    public init(valueMax: Int = 1 << 20) { self.valueMax = valueMax }

    public func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> MemcachedRequest? {
        try MemcachedRequest(&bytes, valueMax: valueMax)
    }

    /// Where a reply ends is all that one needs to know of most.
    public func parseReply(_ bytes: inout PeekBuffer, to _: Request, from _: Version) throws(ProxyError) -> Reply? {
        // A list of a million keys comes in thousands of pieces: its lines are looked at once, when all are there.
        if bytes.prefix(4) == ByteBuffer(string: "key=") {
            let isWhole = bytes.prefix(bytes.count)?.readableBytesView.suffix(5).elementsEqual("END\r\n".utf8)
            return isWhole == true ? bytes.peek(bytes.count) : nil
        }
        while let line = try bytes.peekLine(lengthMax: Request.lineMax, orThrow: .badLine) {
            let words = line.words
            let kind = words.first.map { String(buffer: $0) } ?? ""
            if let place = ["VALUE": 3, "VA": 1][kind] {
                guard let length = words.dropFirst(place).first?.number, length >= 0 else { throw .badLine }
                guard bytes.peek(Int(length)) != nil, bytes.peek(2) != nil else { return nil }
            }
            if !["VALUE", "STAT", "ITEM", "PREFIX"].contains(kind) { return bytes.prefix(bytes.peekedBytes) }
        }
        return nil
    }

    /// Most requests are one of these, and need no look inside.
    private static let glances: [String: LineGlance] = [
        "get": .read(words: 2), "set": .write(words: 5, zero: 3, data: 4), "incr": .write(words: 3),
    ]

    public func glance(at bytes: inout PeekBuffer, from _: Version, in _: Session) -> Glance? {
        bytes.glance(by: Self.glances, keyMax: Request.keyMax, dataMax: valueMax)
    }

    public func glanceReply(at bytes: inout PeekBuffer, from _: Version) -> Bool? {
        isAnswer(&bytes, to: Request("get"))
    }

    public func sharesConnections(_: Session) -> Bool { true }

    public func dispatch(_ request: inout Request, _ context: inout DispatchContext<Session>) -> Dispatch<Reply> {
        // One version alone may take a relative time as it is.
        if context.versions.count > 1 { request.fixExpiry(at: context.milliseconds / 1000) }
        switch request.name {
        case "get", "version", "verbosity", "stats": return .newestFirst
        case "gets": return .custom(Strategy { $1.isEmpty ? .ask($0.suffix(1)) : .give(0) })
        case "gats", "cas": return .lead(Keys(request.keys))
        case "flush_all": return .all(.everything, missed: .copy)
        case "quit": return .answerAndClose(Reply())
        case let name where Request.commands[name] == nil: return .answer(ByteBuffer(string: "ERROR\r\n"))
        // A key's state is smaller than all values that went by, and right whatever else was missed.
        default: return .all(Keys(request.keys), missed: .copy)
        }
    }

    public func judge(_ reply: Reply) -> Verdict {
        let word = String(decoding: reply.readableBytesView.prefix { $0 > UInt8(ascii: " ") }, as: UTF8.self)
        if ["END", "EN", "NOT_FOUND"].contains(word) { return .miss }
        return ["SERVER_ERROR", "BUSY"].contains(word) ? .failure : word.hasSuffix("ERROR") ? .rejection : .answer
    }

    public func isIdempotent(_ request: Request) -> Bool { ["get", "gets", "mg"].contains(request.name) }

    public func goodbye(_ error: ProxyError, to _: Version?) -> Reply? { reply(error) }

    public func failure(_ error: ProxyError, of _: Request) -> Reply { reply(error) }

    private func reply(_ error: ProxyError) -> Reply {
        ByteBuffer(string: "\(error.code == .malformed ? "CLIENT" : "SERVER")_ERROR \(error.message)\r\n")
    }

    public func forwards(_ request: Request, from _: Version, to _: Version) -> Bool { request.isVerbatim }

    /// A reply is the version's own bytes anyway.
    public func forwards(_ reply: Reply, to _: Request, from _: Version, for _: Version) -> Bool { false }

    public func encode(_ request: Request, for version: Version) -> ByteBuffer { request.bytes }

    public func encode(_ reply: Reply, to ask: Request, for _: Version) -> Reply { ask.isQuiet ? Reply() : reply }
}
