public import VersionKit

/// Where a listing of keys is to go on.
public struct RedisCursor: Sendable, Hashable {
    var database: UInt16
    var position: String
}

/// Single keys: `DUMP` and `RESTORE`, with the time at which the key expires.
extension RedisAdapter {
    public func list(after cursor: RedisCursor?) -> [RespRequest] {
        [select(cursor?.database ?? 0), RespRequest("SCAN", cursor?.position ?? "0", "COUNT", "1000")]
    }

    public func page(
        _ replies: [RespReply], after cursor: RedisCursor?
    ) throws(ProxyError) -> (keys: [ByteBuffer], next: RedisCursor?) {
        let database = cursor?.database ?? 0
        // There are as many databases as can be selected.
        if database > 0, replies.first?.text.hasPrefix("ERR DB index") ?? false { return ([], nil) }
        guard replies.count == 2, !replies[0].isError, case let page = replies[1].elements, page.count == 2 else {
            throw .malformedReply("database \(database) was not listed")
        }
        var keys = page[1].elements.compactMap(\.content).map { ByteBuffer(key: $0, in: database) }
        if cursor == nil { keys.append(Self.functions) }
        let position = page[0].text
        return (keys, RedisCursor(database: position == "0" ? database + 1 : database, position: position))
    }

    public func read(_ key: ByteBuffer) -> [RespRequest] {
        guard key != Self.functions, let (database, name) = key.spaceAndName else {
            return [RespRequest("FUNCTION", "DUMP")]
        }
        return [select(database), RespRequest("DUMP", name), RespRequest("PEXPIRETIME", name)]
    }

    public func install(_ key: ByteBuffer, from replies: [RespReply], milliseconds: Int64) throws(ProxyError)
        -> [RespRequest]
    {
        guard let last = replies.last, !replies.contains(where: \.isError) else {
            throw .malformedReply("a key was not read: \(replies.first(where: \.isError)?.text ?? "no reply")")
        }
        guard key != Self.functions, let (database, name) = key.spaceAndName else {
            guard let payload = last.content else { return [RespRequest("FUNCTION", "FLUSH")] }
            return [RespRequest("FUNCTION", "RESTORE", payload, "FLUSH")]
        }
        guard replies.count == 3, let payload = replies[1].content, last.text != "-2" else {
            return [select(database), RespRequest("DEL", name)]
        }
        // -1 says that it never expires, which RESTORE calls 0.
        let time = last.text == "-1" ? "0" : last.text
        return [select(database), RespRequest("RESTORE", name, time, payload, "REPLACE", "ABSTTL")]
    }

    /// The same for the same contents, however a version keeps them. `DEBUG` has to be allowed:
    /// `enable-debug-command local`.
    public func digest(_ key: ByteBuffer) -> [RespRequest] {
        guard key != Self.functions, let (database, name) = key.spaceAndName else {
            return [RespRequest("FUNCTION", "LIST", "WITHCODE")]
        }
        return [select(database), RespRequest("DEBUG", "DIGEST-VALUE", name), RespRequest("PEXPIRETIME", name)]
    }

    private func select(_ database: UInt16) -> RespRequest { RespRequest("SELECT", Int64(database)) }
}
