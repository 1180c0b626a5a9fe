import VersionKit

/// A reply of a Redis: its bytes, and what is needed to judge it.
public struct RedisReply: Sendable {
    /// With attributes and pushes that came before it.
    var bytes: ByteBuffer
    /// The first byte of the reply itself.
    let kind: UInt8
    /// Where that is in ``bytes``.
    let start: Int
    /// Whether a client takes these bytes out of the version's own.
    var isRewritten = false

    init(_ bytes: ByteBuffer, kind: UInt8, start: Int, isRewritten: Bool) {
        self.bytes = bytes
        self.kind = kind
        self.start = start
        self.isRewritten = isRewritten
    }

    /// A part of a reply.
    init(value: ByteBuffer) {
        self.init(value, kind: value.readableBytesView.first ?? 0, start: 0, isRewritten: false)
    }

    /// A reply of the adapter's own: a line such as `+OK`.
    init(line: String) {
        let bytes = ByteBuffer(string: line.filter { !$0.isNewline } + "\r\n")
        self.init(bytes, kind: line.utf8.first ?? 0, start: 0, isRewritten: true)
    }

    /// An error in VersionKit's name, so that nobody looks for it in Redis.
    static func error(_ text: String) -> RedisReply { RedisReply(line: "-ERR VersionKit: \(text)") }

    var isError: Bool { kind == UInt8(ascii: "-") || kind == UInt8(ascii: "!") }

    /// The reply itself.
    var value: ByteBuffer {
        bytes.getSlice(at: bytes.readerIndex + start, length: bytes.readableBytes - start) ?? bytes
    }

    /// A line's text: a number, a status, an error.
    var line: String { Self.content(value).map { String(buffer: $0) } ?? "" }

    /// The values of an aggregate, each as it came; none if this is none.
    var elements: [ByteBuffer] {
        guard "*~%>".utf8.contains(kind) else { return [] }
        let value = value
        let ends = value.withUnsafeReadableBytes { bytes in
            var scanner = RespScanner(bytes)
            scanner.position = 1
            guard (try? scanner.number(-1 ... .max, orThrow: { .malformedReply("") })) != nil else { return [Int]() }
            var ends = [scanner.position]
            while scanner.position < bytes.count, (try? scanner.skipValue()) == true { ends.append(scanner.position) }
            return ends
        }
        return zip(ends, ends.dropFirst()).compactMap { start, end in
            value.getSlice(at: value.readerIndex + start, length: end - start)
        }
    }

    /// All that is in it and has no parts, sorted: the same for the same contents in another order.
    var leaves: [String] {
        var rest = [self]
        var leaves: [String] = []
        while let next = rest.popLast() {
            let elements = next.elements
            if elements.isEmpty { leaves.append(String(buffer: next.value)) }
            rest += elements.map(RedisReply.init(value:))
        }
        return leaves.sorted()
    }

    /// What a bulk string holds, or the text of a line; `nil` for "there is none".
    static func content(_ value: ByteBuffer) -> ByteBuffer? {
        var bytes = PeekBuffer(value)
        guard let line = bytes.peek(upTo: 13, lengthMax: value.readableBytes) else { return nil }
        bytes.skip(1)
        guard "$=".utf8.contains(line.readableBytesView.first ?? 0) else {
            return line.getSlice(at: line.readerIndex + 1, length: line.readableBytes - 1)
        }
        return bytes.availableBytes < 2 ? nil : bytes.peek(bytes.availableBytes - 2)
    }
}
