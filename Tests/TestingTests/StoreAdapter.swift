import NIOCore
import VersionKitModel
import VersionKitProxy
import VersionKitTesting
import VersionKitWire

/// A store of numbers in lines: `set KEY N`, `add KEY N`, `get KEY`, `roll KEY` (a number by chance). Replies: `ok`, a
/// number, `none`, `error WHY`.
struct StoreAdapter: KeyedAdapter {
    /// Mistakes that tests of tests look for.
    enum Mistake {
        case takesHalfLines, losesBytes
    }

    var mistake: Mistake?

    func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> [String]? {
        let before = bytes
        guard let line = bytes.peek(upTo: 10, lengthMax: 100) else {
            guard bytes.availableBytes <= 100 else { throw .malformedRequest("a line without an end") }
            guard mistake == .takesHalfLines, before.availableBytes > 4 else { return nil }
            return bytes.peek(before.availableBytes).map { [String(buffer: $0)] }
        }
        if mistake == .losesBytes, bytes.availableBytes > 0 { _ = bytes.peek(1) }
        let words = String(buffer: line).split(separator: " ").map(String.init)
        guard ["set", "add", "get", "roll"].contains(words.first), words.count > 1 else {
            throw .malformedRequest("'\(words)' is no request")
        }
        return words
    }

    func parseReply(
        _ bytes: inout PeekBuffer, to request: [String], from version: Version
    ) throws(ProxyError) -> String? {
        bytes.peek(upTo: 10, lengthMax: 100).map { String(buffer: $0) }
    }

    func dispatch(_ request: inout [String], _ context: inout DispatchContext<NoSession>) -> Dispatch<String> {
        switch request[0] {
        case "get": .newestFirst
        case "roll": .lead(.key(ByteBuffer(string: request[1])))
        default: .all(.key(ByteBuffer(string: request[1])))
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

    func list(after cursor: Never?) -> [[String]] { [] }

    func page(_ replies: [String], after cursor: Never?) throws(ProxyError) -> (keys: [ByteBuffer], next: Never?) {
        ([], nil)
    }

    func read(_ key: ByteBuffer) -> [[String]] { [["get", String(buffer: key)]] }

    func install(
        _ key: ByteBuffer, from replies: [String], milliseconds: Int64
    ) throws(ProxyError) -> [[String]] { [["set", String(buffer: key), replies[0]]] }
}

/// What is behind it.
struct StoreModel: VersionModel, Equatable {
    var numbers: [String: Int] = [:]

    mutating func answer(_ bytes: inout PeekBuffer) -> ByteBuffer? {
        guard let line = bytes.peek(upTo: 10, lengthMax: 100) else { return nil }
        let words = String(buffer: line).split(separator: " ").map(String.init)
        let number = words.count > 2 ? Int(words[2]) ?? 0 : 0
        switch words[0] {
        case "set": numbers[words[1]] = number
        // Neither of the two can change places with another.
        case "add": numbers[words[1]] = (numbers[words[1]] ?? 1) * 3 + number
        default: return ByteBuffer(string: "\(numbers[words[1]].map(String.init) ?? "none")\n")
        }
        return ByteBuffer(string: "ok\n")
    }
}
