import VersionKit

/// The text protocol of IrisLog 1: lines, and answers whose first line says how many bytes follow.
enum Protocol1 {
    static let lineMax = 8 << 10
    static let bodyMax = 16 << 20

    static func request(_ bytes: inout PeekBuffer) throws(ProxyError) -> IrisLogRequest? {
        guard let line = bytes.peek(upTo: UInt8(ascii: "\n"), lengthMax: lineMax) else {
            guard bytes.availableBytes <= lineMax else {
                throw .malformedRequest("a line of more than \(lineMax) bytes")
            }
            return nil
        }
        return IrisLogRequest(kind: kind(String(buffer: line)))
    }

    private static func kind(_ line: String) -> IrisLogRequest.Kind {
        let (verb, rest) = split(line)
        switch verb {
        case "QUERY": return .query(String(rest))
        case "EXPORT": return .export
        case "PING": return .ping
        case "UPDATE":
            let words = rest.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: false)
            guard words.count == 5, let sequence = UInt64(words[2]), let at = UInt64(words[3]) else {
                return .invalid("UPDATE path sensor sequence at value")
            }
            return .update(
                path: String(words[0]), sensor: String(words[1]), sequence: sequence, at: at, value: String(words[4]))
        default: return .invalid("unknown request")
        }
    }

    static func reply(_ bytes: inout PeekBuffer) throws(ProxyError) -> IrisLogReply? {
        guard let line = bytes.peek(upTo: UInt8(ascii: "\n"), lengthMax: lineMax) else {
            guard bytes.availableBytes <= lineMax else { throw .malformedReply("a line of more than \(lineMax) bytes") }
            return nil
        }
        let (word, rest) = split(String(buffer: line))
        switch word {
        case "DONE": return .done
        case "PONG": return .pong
        case "ERROR":
            let (code, message) = split(rest)
            return .error(code: .init(word: code) ?? .internal, message: String(message))
        case "DATABASE":
            guard let length = Int(rest), (0...bodyMax).contains(length) else { break }
            return bytes.peekText(length).map { .database($0) }
        case "ANSWER":
            let (count, length) = split(rest)
            guard let count = Int(count), let length = Int(length), (0...bodyMax).contains(length) else { break }
            guard let text = bytes.peekText(length) else { return nil }
            let items = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
            guard items.count == count else { break }
            return .answer(items)
        default: break
        }
        throw .malformedReply("version 1 answered '\(word) \(rest.prefix(40))'")
    }

    static func encode(_ request: IrisLogRequest) throws(ProxyError) -> ByteBuffer {
        switch request.kind {
        case .query(let text): return line("QUERY \(text.replacing("\n", with: " "))")
        case .export: return line("EXPORT")
        case .ping: return line("PING")
        case .update(let path, let sensor, let sequence, let at, let value):
            guard !path.contains(where: \.isWhitespace), !sensor.contains(where: \.isWhitespace), !value.contains("\n")
            else { throw .malformedRequest("version 1 knows no such path, sensor or value") }
            return line("UPDATE \(path) \(sensor) \(sequence) \(at) \(value)")
        case .merge, .invalid:
            throw ProxyError(.unsupported, "version 1 has no such request", side: .client, isRetrySafe: false)
        }
    }

    static func encode(_ reply: IrisLogReply) -> ByteBuffer {
        switch reply {
        case .done: return line("DONE")
        case .pong: return line("PONG")
        case .merged(let count): return line("ERROR internal merged \(count)")
        case .error(let code, let message): return line("ERROR \(code.word) \(message.replacing("\n", with: " "))")
        case .database(let text): return ByteBuffer(string: "DATABASE \(text.utf8.count)\n\(text)")
        case .answer(let items):
            let body = items.map { $0.replacing("\n", with: "&#10;") + "\n" }.joined()
            return ByteBuffer(string: "ANSWER \(items.count) \(body.utf8.count)\n\(body)")
        }
    }

    private static func line(_ text: String) -> ByteBuffer { ByteBuffer(string: text + "\n") }

    /// The first word, and what follows the space behind it.
    private static func split(_ text: some StringProtocol) -> (Substring, Substring) {
        let text = Substring(text)
        let word = text.prefix { $0 != " " }
        return (word, text.dropFirst(word.count + 1))
    }
}
