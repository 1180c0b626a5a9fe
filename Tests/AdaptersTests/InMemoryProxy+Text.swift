import RedisAdapter
import VersionKit
import VersionKitTesting

/// One client's conversation in text.
extension InMemoryProxy {
    mutating func say(_ text: String) { say(ByteBuffer(string: text), as: "client") }

    /// Versions answer, all of them the same.
    mutating func answer(_ text: String, from versions: Version...) {
        for version in versions { answer(ByteBuffer(string: text), from: version, to: "client") }
    }

    mutating func lose(_ version: Version) { lose(version, of: "client") }

    /// What was sent to a version since this was asked last.
    mutating func sent(_ version: Version) -> String { String(buffer: takeSent(to: version, by: "client")) }

    /// What the client got since this was asked last.
    mutating func received() -> String { String(buffer: takeReceived(by: "client")) }

    /// What the writes that asked for their turn since this was asked last are ordered by.
    mutating func takeOrdered() -> [Set<KeyMark>?] {
        defer { ordered = [] }
        return ordered
    }

    /// Whether nothing was sent to anybody that has not been looked at.
    var isSilent: Bool { waiting.isEmpty }

    /// Whether the versions did the same, as far as is known.
    var isEven: Bool { missed.isEmpty && diverged.isEmpty }
}

/// One client's conversation with Redis versions.
extension InMemoryProxy<RedisAdapter> {
    /// One in which all connections exist and were greeted.
    static func greeted(_ versions: VersionList) -> Self {
        var talk = Self(RedisAdapter(), versions: versions)
        talk.ask("CLIENT SETNAME x")
        for version in versions {
            talk.answer("+RESET\r\n+OK\r\n", from: version)
            _ = talk.sent(version)
        }
        _ = talk.received()
        return talk
    }

    mutating func ask(_ text: String) { say(redisWords(text)) }

    /// What was sent since this was asked last, without the beginning of a new connection's greeting.
    mutating func requests(_ version: Version) -> String {
        let greeting = redisWords("RESET")
        let text = sent(version)
        return text.hasPrefix(greeting) ? String(text.dropFirst(greeting.count)) : text
    }
}

/// Requests as a client library sends them.
func redisWords(_ texts: String...) -> String {
    texts.map { text in
        let words = text.split(separator: " ")
        return "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
    }.joined()
}

/// The library's name of a key.
func redisKey(_ name: String, _ database: UInt16 = 0) -> ByteBuffer {
    var key = ByteBuffer(integer: database)
    key.writeString(name)
    return key
}

/// Keys of database 0.
func redisKeys(_ names: String...) -> Keys { Keys(names.map { redisKey($0) }) }

/// What writes to a key are ordered by.
func redisMark(_ name: String, _ database: UInt16 = 0) -> KeyMark { KeyMark(redisKey(name, database)) }
