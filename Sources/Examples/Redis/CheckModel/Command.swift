/// A command on one key, and what it does to an entry.
package enum Command: Sendable, Hashable {
    case get
    case set(String)
    case setExpiring(String)
    case getAndDelete
    case append(String)
    case increase(Int)
    case push(String)
    case pop
    case put(String, String)
    case add(String)
    case remove(String)
    case popAny
    case rank(String, Int)
    case delete
    case expire
    case persist
    case members
    case length

    /// Seconds that nobody waits for.
    package static let farFuture = 1_000_000

    /// Whether it may change something.
    package var isWrite: Bool {
        switch self {
        case .get, .members, .length: false
        default: true
        }
    }

    /// As it is sent.
    package func words(_ key: String) -> [String] {
        switch self {
        case .get: ["GET", key]
        case .set(let text): ["SET", key, text]
        case .setExpiring(let text): ["SET", key, text, "EX", "\(Self.farFuture)"]
        case .getAndDelete: ["GETDEL", key]
        case .append(let text): ["APPEND", key, text]
        case .increase(let number): number == 1 ? ["INCR", key] : ["INCRBY", key, "\(number)"]
        case .push(let text): ["LPUSH", key, text]
        case .pop: ["RPOP", key]
        case .put(let field, let text): ["HSET", key, field, text]
        case .add(let member): ["SADD", key, member]
        case .remove(let member): ["SREM", key, member]
        case .popAny: ["SPOP", key]
        case .rank(let member, let score): ["ZADD", key, "\(score)", member]
        case .delete: ["DEL", key]
        case .expire: ["EXPIRE", key, "\(Self.farFuture)"]
        case .persist: ["PERSIST", key]
        case .members: ["SMEMBERS", key]
        case .length: ["LLEN", key]
        }
    }
}

/// What a command may lead to: the answer, and the entry after it.
package struct Outcome: Sendable, Hashable {
    package var reply: Reply
    package var entry: Entry?
}
