import RedisAdapter
import Testing
import VersionKit

/// A client's conversation with Redis versions through the adapter, without sockets: what goes to whom is kept as text.
///
/// Each write has its turn at once.
struct RedisTalk {
    var proxy = MessageProxy(RedisAdapter())
    var versions: VersionList
    /// Milliseconds since 1970 in all callbacks.
    static let now: Int64 = 1_700_000_000_000
    private var unread = PeekBuffer()
    private var replies: [Version: PeekBuffer] = [:]
    private(set) var sent: [Version: String] = [:]
    private(set) var received = ""
    /// The keys of each write that asked for its turn; `nil`: all keys.
    private(set) var ordered: [Set<KeyMark>?] = []
    /// The keys that are to be copied to a version, and what it is to be sent again.
    private(set) var copied: [Version: [Set<ByteBuffer>]] = [:]
    private(set) var resent: [Version: String] = [:]
    private(set) var isClosed = false

    init(_ versions: VersionList) { self.versions = versions }

    /// Words as a client library sends them.
    static func words(_ text: String) -> String {
        let words = text.split(separator: " ")
        return "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
    }

    mutating func ask(_ text: String) throws(ProxyError) { try client(Self.words(text)) }

    mutating func client(_ text: String) throws(ProxyError) {
        unread.append(ByteBuffer(string: text))
        try processClient()
    }

    private mutating func processClient() throws(ProxyError) {
        var used = 1
        while used > 0, unread.count > 0 {
            unread.resetPeek()
            var handler = handler
            used = try proxy.handleRequest(from: nil, &unread, &handler)
            unread.consume(used)
            perform(&handler)
        }
    }

    /// Versions reply, all of them the same.
    mutating func reply(_ text: String, from versions: Version...) throws(ProxyError) {
        for version in versions {
            var bytes = replies[version] ?? PeekBuffer()
            bytes.append(ByteBuffer(string: text))
            var used = 1
            while used > 0, bytes.count > 0 {
                bytes.resetPeek()
                var handler = handler
                used = try proxy.handleReply(from: version, &bytes, &handler)
                bytes.consume(used)
                perform(&handler)
            }
            replies[version] = bytes
        }
        try processClient()
    }

    mutating func lose(_ version: Version) {
        replies[version] = nil
        var handler = handler
        proxy.versionLost(version, &handler)
        perform(&handler)
    }

    /// What was sent since the last call; the greeting of a new connection is left out.
    mutating func takeSent(_ version: Version) -> String {
        let greeting = Self.words("RESET")
        let text = sent.removeValue(forKey: version) ?? ""
        return text.hasPrefix(greeting) ? String(text.dropFirst(greeting.count)) : text
    }

    mutating func takeReceived() -> String {
        defer { received = "" }
        return received
    }

    mutating func takeOrdered() -> [Set<KeyMark>?] {
        defer { ordered = [] }
        return ordered
    }

    /// A talk in which all connections exist and were greeted.
    static func greeted(_ versions: VersionList) throws -> RedisTalk {
        var talk = RedisTalk(versions)
        try talk.ask("CLIENT SETNAME x")
        for version in versions { try talk.reply("+RESET\r\n+OK\r\n", from: version) }
        talk.sent = [:]
        talk.received = ""
        return talk
    }

    private var handler: ConnectionHandler { ConnectionHandler(versions: versions, milliseconds: Self.now) }

    private mutating func perform(_ handler: inout ConnectionHandler) {
        for action in handler.takeActions() {
            switch action {
            case .send(let bytes, let version): sent[version, default: ""] += String(buffer: bytes)
            case .reply(let bytes): received += String(buffer: bytes)
            case .order(let number, let keys):
                ordered.append(keys.names.map { Set($0.map { KeyMark($0) }) })
                var next = self.handler
                proxy.ordered(number, &next)
                perform(&next)
            case .orderRun(let number, let marks):
                ordered.append(Set(marks))
                var next = self.handler
                proxy.ordered(number, &next)
                perform(&next)
            case .catchUp(let write, let version):
                if case .replay(let bytes, _) = write.content {
                    resent[version, default: ""] += String(buffer: bytes)
                } else {
                    copied[version, default: []].append(Set(write.keys.names ?? []))
                }
            case .closeClient: isClosed = true
            default: break
            }
        }
    }
}

/// What writes to a key are ordered by.
func redisMark(_ name: String, _ database: UInt16 = 0) -> KeyMark { KeyMark(redisKey(name, database)) }

/// The library's name of a key.
func redisKey(_ name: String, _ database: UInt16 = 0) -> ByteBuffer {
    var key = ByteBuffer(integer: database)
    key.writeString(name)
    return key
}
