/// How a key is read back: one request for its value, by its type, and one for its time to live.
package enum ReadBack {
    package static func requests(_ key: String, _ kind: Kind) -> [[String]] {
        let value: [String] =
            switch kind {
            case .text, .counter: ["GET", key]
            case .list: ["LRANGE", key, "0", "-1"]
            case .hash: ["HGETALL", key]
            case .set: ["SMEMBERS", key]
            case .sorted: ["ZRANGE", key, "0", "-1", "WITHSCORES"]
            }
        return [value, ["TTL", key]]
    }

    /// The entry that the replies show, `nil` if there is none.
    package static func entry(_ replies: [Reply], _ kind: Kind) throws(Problem) -> Entry? {
        guard replies.count == 2, case .integer(let seconds) = replies[1] else {
            throw Problem("read back: \(replies)")
        }
        let value = try value(replies[0], kind)
        // One that was to expire has most of its time left: a time that was lost or changed shows.
        guard seconds == -1 || seconds == -2 || seconds > Command.farFuture / 2 else {
            throw Problem("read back: it expires in \(seconds) s")
        }
        return value.flatMap { Entry($0, expires: seconds >= 0).orNothing }
    }

    private static func value(_ reply: Reply, _ kind: Kind) throws(Problem) -> Entry.Value? {
        if case .bulk(let text) = reply, kind == .text || kind == .counter { return text.map { .text($0) } }
        guard let texts = reply.texts else { throw Problem("read back: \(reply)") }
        let pairs = stride(from: 0, to: texts.count - 1, by: 2).map { (texts[$0], texts[$0 + 1]) }
        switch kind {
        case .list: return .list(texts)
        case .set: return .set(Set(texts))
        case .hash: return .hash(Dictionary(pairs) { first, _ in first })
        case .sorted:
            return .sorted(Dictionary(pairs.map { ($0, Int($1) ?? .min) }) { first, _ in first })
        case .text, .counter: throw Problem("read back: \(reply)")
        }
    }
}
