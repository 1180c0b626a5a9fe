public import IrisLogCore
public import IrisLogNetwork
public import NIOCore

/// A reply of version 1, to clients and to servers.
public enum Reply1: Equatable, Sendable {
    /// `ANSWER <count> <bytes>` and the items
    case answer([String])
    /// `DATABASE <bytes>` and the XML
    case database(String)
    /// `FRAGMENT <bytes>` and the XML
    case fragment(String)
    /// `DONE`
    case done
    /// `PONG`
    case pong
    /// `ERROR <code> <message>`
    case error(IrisLogError)

    /// The reply as bytes.
    public var encoded: ByteBuffer {
        switch self {
        case .answer(let items):
            let body = items.map { $0 + "\n" }.joined()
            return ByteBuffer(string: "ANSWER \(items.count) \(body.utf8.count)\n" + body)
        case .database(let xml): return Self.document("DATABASE", xml)
        case .fragment(let xml): return Self.document("FRAGMENT", xml)
        case .done: return ByteBuffer(string: "DONE\n")
        case .pong: return ByteBuffer(string: "PONG\n")
        case .error(let error):
            let message = error.message.split(separator: "\n").joined(separator: " ").prefix(1000)
            // That another server is out of reach is this server's own affair.
            let code = error.code == .unreachable ? .internal : error.code
            return ByteBuffer(string: "ERROR \(code.rawValue) \(message)\n")
        }
    }

    private static func document(_ verb: String, _ xml: String) -> ByteBuffer {
        guard xml.utf8.count <= Limits.documentBytes else {
            return Reply1.error(IrisLogError(.limit, "document too large")).encoded
        }
        return ByteBuffer(string: "\(verb) \(xml.utf8.count)\n" + xml)
    }
}

/// Reads the replies of version 1.
public struct Reply1Decoder: ReplyDecoder {
    private enum Body {
        case answer(count: Int, bytes: Int)
        case database(bytes: Int)
        case fragment(bytes: Int)

        var bytes: Int {
            switch self {
            case .answer(_, let bytes), .database(let bytes), .fragment(let bytes): bytes
            }
        }
    }

    /// The first line of a reply whose body has not arrived yet.
    private var pending: Body?

    /// Creates a decoder at the start of a stream.
    public init() {}

    /// The next reply; nil if it is not complete yet.
    public mutating func next(_ bytes: inout ByteBuffer) throws(IrisLogError) -> Reply1? {
        if pending == nil {
            guard let line = try LineDecoder.next(&bytes) else { return nil }
            if let reply = try begin(line) { return reply }
        }
        guard let body = pending, bytes.readableBytes >= body.bytes else { return nil }
        pending = nil
        guard let raw = bytes.readBytes(length: body.bytes), let text = String(validating: raw, as: UTF8.self) else {
            throw IrisLogError(.unreachable, "the reply is not UTF-8")
        }
        switch body {
        case .database: return .database(text)
        case .fragment: return .fragment(text)
        case .answer(let count, _):
            let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            guard lines.count == count + 1, lines.last?.isEmpty ?? false else {
                throw IrisLogError(.unreachable, "the answer has not the items it promises")
            }
            return .answer(lines.dropLast().map { String(Substring($0)) })
        }
    }

    /// Reads a first line; returns the reply if it is already complete.
    private mutating func begin(_ line: String) throws(IrisLogError) -> Reply1? {
        let (verb, rest) = line.split(atFirst: " ")
        let numbers = rest?.split(separator: " ").map { Int($0) } ?? []
        switch (verb, numbers.count) {
        case ("DONE", 0): return .done
        case ("PONG", 0): return .pong
        case ("ERROR", _):
            let (code, message) = (rest ?? "").split(atFirst: " ")
            return .error(IrisLogError(IrisLogError.Code(rawValue: code) ?? .internal, message ?? ""))
        case ("ANSWER", 2):
            pending = .answer(count: try Self.size(numbers[0]), bytes: try Self.size(numbers[1]))
        case ("DATABASE", 1): pending = .database(bytes: try Self.size(numbers[0]))
        case ("FRAGMENT", 1): pending = .fragment(bytes: try Self.size(numbers[0]))
        default: throw IrisLogError(.unreachable, "not a reply of version 1")
        }
        return nil
    }

    private static func size(_ number: Int?) throws(IrisLogError) -> Int {
        guard let number, (0...Limits.documentBytes).contains(number) else {
            throw IrisLogError(.unreachable, "the reply is too large")
        }
        return number
    }
}
