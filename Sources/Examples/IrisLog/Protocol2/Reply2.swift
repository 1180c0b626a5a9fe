public import IrisLogCore
public import IrisLogNetwork
public import NIOCore

/// A reply of version 2, to clients and to servers.
public enum Reply2: Equatable, Sendable {
    /// The items of a client's query.
    case answer([String])
    /// The update is durable.
    case done
    /// The server's own data.
    case database(String)
    /// How many readings were new.
    case merged(Int)
    /// A sign of life.
    case pong
    /// The items of a server's query.
    case peerAnswer([String])
    /// A subtree.
    case fragment(String)
    /// A refusal.
    case error(IrisLogError)

    /// The reply as a frame.
    public func frame(id: UInt32) -> Frame {
        switch self {
        case .answer(let items): return Frame(.answer, id: id, payload: Self.payload(items))
        case .peerAnswer(let items): return Frame(.peerAnswer, id: id, payload: Self.payload(items))
        case .done: return Frame(.done, id: id)
        case .pong: return Frame(.pong, id: id)
        case .database(let xml): return Self.document(.database, id, xml)
        case .fragment(let xml): return Self.document(.fragment, id, xml)
        case .merged(let count):
            return Frame(.merged, id: id, payload: ByteBuffer(integer: UInt32(clamping: count)))
        case .error(let error):
            var payload = ByteBuffer(integer: error.code.number)
            payload.writeString(String(error.message.prefix(1000)))
            return Frame(.error, id: id, payload: payload)
        }
    }

    /// Reads a frame.
    public init(_ frame: Frame) throws(IrisLogError) {
        var payload = frame.payload
        switch FrameKind(rawValue: frame.kind) {
        case .answer: self = .answer(try Self.items(&payload))
        case .peerAnswer: self = .peerAnswer(try Self.items(&payload))
        case .done: self = .done
        case .pong: self = .pong
        case .database: self = .database(try payload.takeText())
        case .fragment: self = .fragment(try payload.takeText())
        case .merged: self = .merged(Int(try payload.takeInteger(UInt32.self)))
        case .error:
            let code = IrisLogError.Code(number: try payload.takeInteger(UInt16.self))
            self = .error(IrisLogError(code, try payload.takeText()))
        default: throw IrisLogError(.unreachable, "not a reply of version 2")
        }
        try payload.requireEnd()
    }

    private static func document(_ kind: FrameKind, _ id: UInt32, _ xml: String) -> Frame {
        guard xml.utf8.count <= Limits.documentBytes - Frame.headerBytes else {
            return Reply2.error(IrisLogError(.limit, "document too large")).frame(id: id)
        }
        return Frame(kind, id: id, payload: ByteBuffer(string: xml))
    }

    private static func payload(_ items: [String]) -> ByteBuffer {
        var payload = ByteBuffer(integer: UInt32(items.count))
        for item in items {
            payload.writeInteger(UInt32(item.utf8.count))
            payload.writeString(item)
        }
        return payload
    }

    private static func items(_ payload: inout ByteBuffer) throws(IrisLogError) -> [String] {
        let count = try payload.takeInteger(UInt32.self)
        // Each item has at least its length, so a false count costs nothing.
        guard Int(count) * 4 <= payload.readableBytes else { throw IrisLogError(.syntax, "items are missing") }
        var items: [String] = []
        items.reserveCapacity(Int(count))
        for _ in 0..<count {
            let length = try payload.takeInteger(UInt32.self)
            items.append(try payload.takeText(length: Int(length)))
        }
        return items
    }
}

/// Reads the replies of version 2.
public struct Reply2Decoder: ReplyDecoder {
    /// Creates a decoder at the start of a stream.
    public init() {}

    /// The next reply with its request id; nil if it is not complete yet.
    public mutating func next(_ bytes: inout ByteBuffer) throws(IrisLogError) -> IdentifiedReply2? {
        guard let frame = try Frame.next(&bytes) else { return nil }
        return IdentifiedReply2(id: frame.id, reply: try Reply2(frame))
    }
}

/// A reply and the request it belongs to.
public struct IdentifiedReply2: Equatable, Sendable {
    /// The request's id.
    public let id: UInt32
    /// The reply.
    public let reply: Reply2
}

extension IrisLogError.Code {
    /// The number in an error frame.
    var number: UInt16 {
        switch self {
        case .syntax: 1
        case .query: 2
        case .notOwner: 3
        case .limit: 4
        case .internal, .unreachable: 5
        }
    }

    init(number: UInt16) {
        self = Self.allCases.first { $0.number == number } ?? .internal
    }
}
