public import IrisLogCore
import NIOCore

/// A request of a client of version 2.
public enum ClientRequest2: Equatable, Sendable {
    /// Evaluate an XPath expression.
    case query(String)
    /// Store a reading.
    case update(IDPath, Reading)
    /// Send the server's own data.
    case export
    /// Add what is missing from this XML.
    case merge(String)
    /// Give a sign of life.
    case ping

    /// Reads a frame.
    public init(_ frame: Frame) throws(IrisLogError) {
        var payload = frame.payload
        switch FrameKind(rawValue: frame.kind) {
        case .query: self = .query(try payload.takeText())
        case .update: self = try Self.update(&payload)
        case .export: self = .export
        case .merge: self = .merge(try payload.takeText())
        case .ping: self = .ping
        default: throw IrisLogError(.syntax, "unknown request")
        }
        try payload.requireEnd()
    }

    /// The request as a frame.
    public func frame(id: UInt32) -> Frame {
        switch self {
        case .query(let xpath): return Frame(.query, id: id, payload: ByteBuffer(string: xpath))
        case .export: return Frame(.export, id: id)
        case .merge(let xml): return Frame(.merge, id: id, payload: ByteBuffer(string: xml))
        case .ping: return Frame(.ping, id: id)
        case .update(let path, let reading):
            var payload = ByteBuffer()
            payload.putString(path.xpath)
            payload.putString(reading.sensor)
            payload.writeInteger(reading.sequence)
            payload.writeInteger(reading.at)
            payload.putString(reading.value)
            return Frame(.update, id: id, payload: payload)
        }
    }

    private static func update(_ payload: inout ByteBuffer) throws(IrisLogError) -> ClientRequest2 {
        guard let path = IDPath(xpath: try payload.takeString()) else {
            throw IrisLogError(.syntax, "not an id path")
        }
        let sensor = try payload.takeString()
        let sequence = try payload.takeInteger(UInt64.self)
        let at = try payload.takeInteger(UInt64.self)
        let value = try payload.takeString()
        return .update(path, try Reading(sensor: sensor, sequence: sequence, at: at, value: value))
    }
}

/// A request of another server of version 2.
public enum PeerRequest2: Equatable, Sendable {
    /// What an asker sends before anything else.
    public static let preface = Array("IL2P".utf8)

    /// Answer a query.
    case ask(hops: Int, xpath: String)
    /// Send a subtree.
    case gather(hops: Int, path: IDPath)

    /// Reads a frame.
    public init(_ frame: Frame) throws(IrisLogError) {
        var payload = frame.payload
        let kind = FrameKind(rawValue: frame.kind)
        guard kind == .ask || kind == .gather else { throw IrisLogError(.syntax, "unknown request") }
        let hops = Int(try payload.takeInteger(UInt8.self))
        let text = try payload.takeText()
        if kind == .ask {
            self = .ask(hops: hops, xpath: text)
        } else {
            guard let path = IDPath(xpath: text) else { throw IrisLogError(.syntax, "not an id path") }
            self = .gather(hops: hops, path: path)
        }
    }

    /// The request as a frame.
    public func frame(id: UInt32) -> Frame {
        var payload = ByteBuffer()
        switch self {
        case .ask(let hops, let xpath):
            payload.writeInteger(UInt8(clamping: hops))
            payload.writeString(xpath)
            return Frame(.ask, id: id, payload: payload)
        case .gather(let hops, let path):
            payload.writeInteger(UInt8(clamping: hops))
            payload.writeString(path.xpath)
            return Frame(.gather, id: id, payload: payload)
        }
    }
}
