import NIOCore
import VersionKitModel
import VersionKitProxy
import VersionKitTesting
import VersionKitWire

/// A store of numbers in lines: `set KEY N`, `add KEY,KEY N`, `get KEY`, `roll KEY` (a number by chance), `move KEY KEY`,
/// `flush all`, `keys all`. Replies: `ok`, a number, `none`, `error WHY`, or keys.
struct StoreAdapter: KeyedAdapter {
    /// Mistakes that tests of tests look for.
    enum Mistake {
        case takesHalfLines, losesBytes, callsAllReads, makesRepliesOfNothing, callsAllAnswers
    }

    var mistake: Mistake?
    /// How requests travel that need no look inside.
    enum Way: Sendable, CaseIterable { case parsed, inRuns, shared }

    var way = Way.parsed

    func glance(at bytes: inout PeekBuffer, from client: Version, in session: NoSession) -> Glance? {
        guard way != .parsed else { return .unusual }
        guard let line = bytes.peek(upTo: 10, lengthMax: 1000) else {
            return bytes.availableBytes > 1000 ? .unusual : nil
        }
        let words = String(buffer: line).split(separator: " ")
        guard words.count > 1, !words[1].contains(",") else { return .unusual }
        if mistake == .callsAllReads { return .read }
        switch words[0] {
        case "get": return .read
        case "set", "add": return .write(KeyMark(ByteBuffer(substring: words[1])))
        case "move", "flush", "roll": return .other
        default: return .unusual
        }
    }

    func glanceReply(at bytes: inout PeekBuffer, from version: Version) -> Bool? {
        bytes.peek(upTo: 10, lengthMax: 1000).map {
            mistake == .callsAllAnswers || judge(String(buffer: $0)) == .answer
        }
    }

    func sharesConnections(_ session: NoSession) -> Bool { way == .shared }

    func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> [String]? {
        let before = bytes
        guard let line = bytes.peek(upTo: 10, lengthMax: 1000) else {
            guard bytes.availableBytes <= 1000 else { throw .malformedRequest("a line without an end") }
            guard mistake == .takesHalfLines, before.availableBytes > 4 else { return nil }
            return bytes.peek(before.availableBytes).map { [String(buffer: $0)] }
        }
        if mistake == .losesBytes, bytes.availableBytes > 0 { _ = bytes.peek(1) }
        let words = String(buffer: line).split(separator: " ").map(String.init)
        guard ["set", "add", "get", "roll", "move", "flush", "keys"].contains(words.first), words.count > 1 else {
            throw .malformedRequest("'\(words)' is no request")
        }
        return words
    }

    func parseReply(
        _ bytes: inout PeekBuffer, to request: [String], from version: Version
    ) throws(ProxyError) -> String? {
        let reply = bytes.peek(upTo: 10, lengthMax: 1000).map { String(buffer: $0) }
        return mistake == .makesRepliesOfNothing ? reply ?? "" : reply
    }

    func dispatch(_ request: inout [String], _ context: inout DispatchContext<NoSession>) -> Dispatch<String> {
        switch request[0] {
        case "get": .newestFirst
        case "roll": .lead(.key(ByteBuffer(string: request[1])))
        case "move": .all(Keys(request.dropFirst().map { ByteBuffer(string: $0) }))
        case "flush": .all(.everything)
        case "keys": .answer("error not for clients")
        default: .all(Keys(request[1].split(separator: ",").map { ByteBuffer(substring: $0) }))
        }
    }

    func judge(_ reply: String) -> Verdict {
        reply == "none" ? .miss : reply.hasPrefix("error") ? .failure : .answer
    }

    func agree(_ one: String, _ other: String, on request: [String]) -> Bool { one == other }

    func isIdempotent(_ request: [String]) -> Bool { request[0] == "get" || request[0] == "set" }

    func failure(_ error: ProxyError, of request: [String]) -> String { "error lost" }

    func goodbye(_ error: ProxyError, to client: Version?) -> ByteBuffer? {
        ByteBuffer(string: "error \(error.code)\n")
    }

    func forwards(_ request: [String], from client: Version, to version: Version) -> Bool { true }

    func forwards(_ reply: String, to request: [String], from version: Version, for client: Version) -> Bool { true }

    func encode(_ request: [String], for version: Version) throws(ProxyError) -> ByteBuffer {
        ByteBuffer(string: request.joined(separator: " ") + "\n")
    }

    func encode(_ reply: String, to request: [String], for client: Version) throws(ProxyError) -> ByteBuffer {
        ByteBuffer(string: reply + "\n")
    }

    func list(after cursor: Never?) -> [[String]] { [["keys", "all"]] }

    func page(_ replies: [String], after cursor: Never?) throws(ProxyError) -> (keys: [ByteBuffer], next: Never?) {
        (replies[0].split(separator: " ").dropFirst().map { ByteBuffer(substring: $0) }, nil)
    }

    func read(_ key: ByteBuffer) -> [[String]] { [["get", String(buffer: key)]] }

    func install(
        _ key: ByteBuffer, from replies: [String], milliseconds: Int64
    ) throws(ProxyError) -> [[String]] { [["set", String(buffer: key), replies[0]]] }
}

/// What is behind it: all numbers that were added to a key, so that a lost or doubled one shows.
struct StoreModel: VersionModel, Equatable {
    var numbers: [String: [Int]] = [:]
    /// Numbers by chance: each version has others.
    var chance: Int

    static func == (one: StoreModel, other: StoreModel) -> Bool { one.numbers == other.numbers }

    mutating func answer(_ bytes: inout PeekBuffer) -> ByteBuffer? {
        guard let line = bytes.peek(upTo: 10, lengthMax: 1000) else { return nil }
        let words = String(buffer: line).split(separator: " ").map(String.init)
        return ByteBuffer(string: answer(words[0], words[1], words.count > 2 ? words[2] : "") + "\n")
    }

    private mutating func answer(_ verb: String, _ key: String, _ value: String) -> String {
        let values = value.split(separator: ",").compactMap { Int($0) }
        switch verb {
        case "set": numbers[key] = values.isEmpty ? nil : values
        case "add": for key in key.split(separator: ",") { numbers[String(key), default: []] += values }
        case "move": numbers[value] = numbers.removeValue(forKey: key)
        case "flush": numbers = [:]
        case "roll":
            chance = chance &* 31 &+ 7
            numbers[key, default: []].append(chance)
        case "keys": return (["keys"] + numbers.keys.sorted()).joined(separator: " ")
        default: return numbers[key].map { $0.map { "\($0)" }.joined(separator: ",") } ?? "none"
        }
        return "ok"
    }
}
