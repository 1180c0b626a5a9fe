public import IrisLogCore
public import NIOCore

/// The kinds of frames of version 2.
public enum FrameKind: UInt8, Sendable {
    /// Client: XPath.
    case query = 1
    /// Client: path, sensor, sequence, time, value.
    case update = 2
    /// Client: nothing.
    case export = 3
    /// Client: XML.
    case merge = 4
    /// Client: nothing.
    case ping = 5
    /// Server: hops, XPath.
    case ask = 0x11
    /// Server: hops, id path.
    case gather = 0x12
    /// To a client: items.
    case answer = 0x81
    /// To a client: nothing.
    case done = 0x82
    /// To a client: XML.
    case database = 0x83
    /// To a client: a count.
    case merged = 0x84
    /// To a client: nothing.
    case pong = 0x85
    /// To a server: items.
    case peerAnswer = 0x91
    /// To a server: XML.
    case fragment = 0x92
    /// To both: code and message.
    case error = 0xFF
}

/// The unit of version 2: length of the rest, kind, request id, payload; numbers are big endian.
public struct Frame: Equatable, Sendable {
    /// What the payload is; not every number is a `FrameKind`.
    public var kind: UInt8
    /// Chosen by the asker, repeated in the reply.
    public var id: UInt32
    /// What the kind says.
    public var payload: ByteBuffer

    /// Kind and request id.
    static let headerBytes = 5

    /// Creates a frame.
    public init(_ kind: FrameKind, id: UInt32, payload: ByteBuffer = ByteBuffer()) {
        self.kind = kind.rawValue
        self.id = id
        self.payload = payload
    }

    /// The frame as bytes.
    public var encoded: ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(4 + Self.headerBytes + payload.readableBytes)
        bytes.writeInteger(UInt32(Self.headerBytes + payload.readableBytes))
        bytes.writeInteger(kind)
        bytes.writeInteger(id)
        bytes.writeImmutableBuffer(payload)
        return bytes
    }

    /// The frame at the front of a buffer; nil if it is not complete yet.
    ///
    /// A frame that is longer than its kind may be is refused before its payload is waited for.
    public static func next(
        _ bytes: inout ByteBuffer, limit: (FrameKind?) -> Int = { _ in Limits.documentBytes }
    ) throws(IrisLogError) -> Frame? {
        guard let length: UInt32 = bytes.getInteger(at: bytes.readerIndex) else { return nil }
        guard length >= headerBytes else { throw IrisLogError(.syntax, "frame too short") }
        guard length <= Limits.documentBytes else { throw IrisLogError(.limit, "frame too long") }
        guard let first: UInt8 = bytes.getInteger(at: bytes.readerIndex + 4) else { return nil }
        guard length <= limit(FrameKind(rawValue: first)) else { throw IrisLogError(.limit, "frame too long") }
        guard bytes.readableBytes >= 4 + Int(length) else { return nil }
        bytes.moveReaderIndex(forwardBy: 4)
        guard let kind: UInt8 = bytes.readInteger(), let id: UInt32 = bytes.readInteger(),
            let payload = bytes.readSlice(length: Int(length) - headerBytes)
        else { return nil }
        var frame = Frame(.ping, id: id, payload: payload)
        frame.kind = kind
        return frame
    }
}

extension ByteBuffer {
    /// The rest as text.
    mutating func takeText() throws(IrisLogError) -> String {
        try takeText(length: readableBytes)
    }

    mutating func takeText(length: Int) throws(IrisLogError) -> String {
        guard let bytes = readBytes(length: length), let text = String(validating: bytes, as: UTF8.self) else {
            throw IrisLogError(.syntax, "text is cut off or not UTF-8")
        }
        return text
    }

    /// A text with a length of two bytes.
    mutating func takeString() throws(IrisLogError) -> String {
        try takeText(length: Int(try takeInteger(UInt16.self)))
    }

    mutating func takeInteger<Number: FixedWidthInteger>(_: Number.Type) throws(IrisLogError) -> Number {
        guard let number: Number = readInteger() else { throw IrisLogError(.syntax, "number is cut off") }
        return number
    }

    /// Writes a text with a length of two bytes; the callers' limits are far below what fits.
    mutating func putString(_ text: String) {
        let bytes = text.utf8.prefix(Int(UInt16.max))
        writeInteger(UInt16(bytes.count))
        writeBytes(bytes)
    }

    func requireEnd() throws(IrisLogError) {
        guard readableBytes == 0 else { throw IrisLogError(.syntax, "bytes behind the payload") }
    }
}
