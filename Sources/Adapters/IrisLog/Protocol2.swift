import VersionKit

/// The binary protocol of IrisLog 2: frames of a length, a kind, a number and a payload.
enum Protocol2 {
    static let frameMax = 16 << 20
    /// Kind and number: the shortest frame.
    private static let headBytes = 5

    private struct Frame {
        var kind: UInt8
        var id: UInt32
        var payload: PeekBuffer
    }

    private static func frame(_ bytes: inout PeekBuffer) throws(ProxyError) -> Frame? {
        let lengths = headBytes...frameMax
        let error = { ProxyError.malformedRequest("a frame of less than \(headBytes) or more than \(frameMax) bytes") }
        guard let frame = try bytes.peekPrefixed(by: UInt32.self, lengths: lengths, orThrow: error()) else {
            return nil
        }
        var payload = PeekBuffer(frame)
        guard let kind = payload.peekInteger(as: UInt8.self), let id = payload.peekInteger(as: UInt32.self) else {
            return nil
        }
        return Frame(kind: kind, id: id, payload: payload)
    }

    static func request(_ bytes: inout PeekBuffer) throws(ProxyError) -> IrisLogRequest? {
        guard var frame = try frame(&bytes) else { return nil }
        return IrisLogRequest(kind: kind(&frame), id: frame.id)
    }

    private static func kind(_ frame: inout Frame) -> IrisLogRequest.Kind {
        switch frame.kind {
        case 1: return .query(rest(&frame.payload))
        case 3: return .export
        case 4: return .merge(rest(&frame.payload))
        case 5: return .ping
        case 2:
            guard let path = string(&frame.payload), let sensor = string(&frame.payload),
                let sequence = frame.payload.peekInteger(as: UInt64.self),
                let at = frame.payload.peekInteger(as: UInt64.self), let value = string(&frame.payload)
            else { return .invalid("an update that is cut short") }
            return .update(path: path, sensor: sensor, sequence: sequence, at: at, value: value)
        default: return .invalid("unknown request")
        }
    }

    static func reply(_ bytes: inout PeekBuffer) throws(ProxyError) -> IrisLogReply? {
        guard var frame = try frame(&bytes) else { return nil }
        switch frame.kind {
        case 0x81:
            guard let items = items(&frame.payload) else { break }
            return .answer(items)
        case 0x82: return .done
        case 0x83: return .database(rest(&frame.payload))
        case 0x84: return .merged(frame.payload.peekInteger() ?? 0)
        case 0x85: return .pong
        case 0xFF:
            let code = frame.payload.peekInteger(as: UInt16.self).flatMap(IrisLogReply.ErrorCode.init(rawValue:))
            return .error(code: code ?? .internal, message: rest(&frame.payload))
        default: break
        }
        throw .malformedReply("version 2 answered with a frame of kind \(frame.kind)")
    }

    static func encode(_ request: IrisLogRequest) -> ByteBuffer {
        switch request.kind {
        case .query(let text): return frame(1, request.id) { $0.writeString(text) }
        case .export: return frame(3, request.id)
        case .merge(let text): return frame(4, request.id) { $0.writeString(text) }
        case .ping, .invalid: return frame(5, request.id)
        case .update(let path, let sensor, let sequence, let at, let value):
            return frame(2, request.id) { buffer in
                for text in [path, sensor] { write(text, to: &buffer) }
                buffer.writeInteger(sequence)
                buffer.writeInteger(at)
                write(value, to: &buffer)
            }
        }
    }

    static func encode(_ reply: IrisLogReply, id: UInt32) -> ByteBuffer {
        switch reply {
        case .done: return frame(0x82, id)
        case .pong: return frame(0x85, id)
        case .merged(let count): return frame(0x84, id) { $0.writeInteger(count) }
        case .database(let text): return frame(0x83, id) { $0.writeString(text) }
        case .error(let code, let message):
            return frame(0xFF, id) { buffer in
                buffer.writeInteger(code.rawValue)
                buffer.writeString(message)
            }
        case .answer(let items):
            return frame(0x81, id) { buffer in
                buffer.writeInteger(UInt32(items.count))
                for item in items {
                    buffer.writeInteger(UInt32(item.utf8.count))
                    buffer.writeString(item)
                }
            }
        }
    }

    private static func frame(_ kind: UInt8, _ id: UInt32, _ body: (inout ByteBuffer) -> Void = { _ in }) -> ByteBuffer
    {
        var payload = ByteBuffer()
        body(&payload)
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt32(headBytes + payload.readableBytes))
        buffer.writeInteger(kind)
        buffer.writeInteger(id)
        buffer.writeBuffer(&payload)
        return buffer
    }

    /// What is longer than protocol 2's strings can be was longer than protocol 1's lines may be.
    private static func write(_ text: String, to buffer: inout ByteBuffer) {
        let bytes = text.utf8.prefix(Int(UInt16.max))
        buffer.writeInteger(UInt16(bytes.count))
        buffer.writeBytes(bytes)
    }

    private static func string(_ payload: inout PeekBuffer) -> String? {
        payload.peekInteger(as: UInt16.self).flatMap { payload.peekText(Int($0)) }
    }

    private static func rest(_ payload: inout PeekBuffer) -> String { payload.peekText(payload.availableBytes) ?? "" }

    private static func items(_ payload: inout PeekBuffer) -> [String]? {
        guard let count = payload.peekInteger(as: UInt32.self) else { return nil }
        var items: [String] = []
        for _ in 0..<count {
            guard let length = payload.peekInteger(as: UInt32.self), let item = payload.peekText(Int(length)) else {
                return nil
            }
            items.append(item)
        }
        return items
    }
}
