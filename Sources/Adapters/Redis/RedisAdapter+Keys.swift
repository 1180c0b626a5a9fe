public import VersionKit

/// Where a listing of keys is to go on.
public struct RedisCursor: Sendable, Hashable {
    var database: Int
    var position: ByteBuffer
}

/// Single keys: `DUMP` and `RESTORE`, with the time at which the key expires.
extension RedisAdapter {
    public func list(after cursor: RedisCursor?) -> [RedisRequest] {
        let cursor = cursor ?? RedisCursor(database: 0, position: ByteBuffer(string: "0"))
        let scan = ["SCAN", String(buffer: cursor.position), "COUNT", "1000"].map { ByteBuffer(string: $0) }
        return [select(cursor.database), RedisRequest(scan)]
    }

    public func page(
        _ replies: [RedisReply], after cursor: RedisCursor?
    ) throws(ProxyError) -> (keys: [ByteBuffer], next: RedisCursor?) {
        let database = cursor?.database ?? 0
        // There are as many databases as can be selected.
        if database > 0, replies.first.map({ $0.line.hasPrefix("ERR DB index") }) ?? false {
            return ([], nil)
        }
        guard replies.count == 2, !replies[0].isError, let position = replies[1].elements.first,
            let next = RedisReply.content(position), let last = replies[1].elements.last
        else { throw .malformedReply("database \(database) was not listed") }
        let names = RedisReply(value: last).elements
        var keys = names.compactMap(RedisReply.content).map { Self.key($0, in: database) }
        if cursor == nil { keys.append(Self.functions) }
        let isEnd = next == ByteBuffer(string: "0")
        return (keys, RedisCursor(database: isEnd ? database + 1 : database, position: next))
    }

    public func read(_ key: ByteBuffer) -> [RedisRequest] {
        guard key != Self.functions, let (database, name) = parts(of: key) else {
            return [RedisRequest("FUNCTION", "DUMP")]
        }
        return [select(database), request("DUMP", name), request("PEXPIRETIME", name)]
    }

    public func install(_ key: ByteBuffer, from replies: [RedisReply], milliseconds: Int64) throws(ProxyError)
        -> [RedisRequest]
    {
        guard let last = replies.last, !replies.contains(where: \.isError) else {
            throw .malformedReply("a key was not read: \(replies.first(where: \.isError)?.line ?? "no reply")")
        }
        guard key != Self.functions, let (database, name) = parts(of: key) else {
            guard let payload = RedisReply.content(last.value) else { return [RedisRequest("FUNCTION", "FLUSH")] }
            return [RedisRequest([word("FUNCTION"), word("RESTORE"), payload, word("FLUSH")])]
        }
        guard replies.count == 3, let payload = RedisReply.content(replies[1].value), last.line != "-2" else {
            return [select(database), request("DEL", name)]
        }
        // -1 says that it never expires, which RESTORE calls 0.
        let time = last.line == "-1" ? "0" : last.line
        return [select(database), request("RESTORE", name, word(time), payload, word("REPLACE"), word("ABSTTL"))]
    }

    /// The same for the same contents, however a version keeps them. `DEBUG` has to be allowed:
    /// `enable-debug-command local`.
    public func digest(_ key: ByteBuffer) -> [RedisRequest] {
        guard key != Self.functions, let (database, name) = parts(of: key) else {
            return [RedisRequest("FUNCTION", "LIST", "WITHCODE")]
        }
        let digest = RedisRequest([word("DEBUG"), word("DIGEST-VALUE"), name])
        return [select(database), digest, request("PEXPIRETIME", name)]
    }

    private func parts(of key: ByteBuffer) -> (database: Int, name: ByteBuffer)? {
        var name = key
        return name.readInteger(as: UInt16.self).map { (Int($0), name) }
    }

    private func select(_ database: Int) -> RedisRequest { RedisRequest("SELECT", String(database)) }

    private func request(_ command: String, _ arguments: ByteBuffer...) -> RedisRequest {
        RedisRequest([word(command)] + arguments)
    }

    private func word(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }
}
