public import NIOCore
public import VersionKitProxy
public import VersionKitWire

/// A reply in RESP 2 or 3: its bytes, and what is needed to judge it. Its parts are looked for when they are asked for.
public struct RespReply: VerbatimMessage {
    /// With attributes and pushes that came before it.
    public let bytes: ByteBuffer
    /// The first byte of the reply itself, which says what it is: `+` a status, `-` an error, `$` a bulk string...
    public let kind: UInt8
    /// Where that is in ``bytes``.
    private let start: Int
    /// Whether these bytes are others than those that a version sent.
    public let isRewritten: Bool

    private init(_ bytes: ByteBuffer, kind: UInt8, start: Int, isRewritten: Bool) {
        self.bytes = bytes
        self.kind = kind
        self.start = start
        self.isRewritten = isRewritten
    }

    /// Reads the reply to a request, and passes those to what went before it; `nil`: not complete yet.
    ///
    /// - Throws: ``ProxyError/malformedReply(_:)``.
    public init?(_ bytes: inout PeekBuffer, to request: RespRequest) throws(ProxyError) {
        let found = try bytes.withUnsafeAvailableBytes {
            bytes throws(ProxyError) -> (begin: Int, kind: UInt8, start: Int, end: Int)? in
            var scanner = RespScanner(bytes)
            for _ in request.preceding.indices { guard try scanner.reply() != nil else { return nil } }
            let begin = scanner.position
            return try scanner.reply().map { (begin, $0.kind, $0.start, scanner.position) }
        }
        guard let found else { return nil }
        bytes.skip(found.begin)
        guard let own = bytes.peek(found.end - found.begin) else { return nil }
        self.init(own, kind: found.kind, start: found.start - found.begin, isRewritten: found.begin > 0)
    }

    /// A reply that was made rather than received, or a part of one.
    public init(_ bytes: ByteBuffer) {
        self.init(bytes, kind: bytes.getInteger(at: bytes.readerIndex) ?? 0, start: 0, isRewritten: true)
    }

    /// A reply of one line, such as `+OK`; what is in `line` of line ends is left out.
    public init(line: String) { self.init(ByteBuffer(string: line.filter { !$0.isNewline } + "\r\n")) }

    /// An array of these values.
    public init(array values: [RespReply]) {
        var bytes = ByteBuffer(string: "*\(values.count)\r\n")
        for value in values { bytes.writeImmutableBuffer(value.value) }
        self.init(bytes)
    }

    /// A bulk string with this content.
    public init(bulk content: String) { self.init(ByteBuffer(string: "$\(content.utf8.count)\r\n\(content)\r\n")) }

    /// Whether it says that the request failed.
    @inlinable public var isError: Bool { kind == UInt8(ascii: "-") || kind == UInt8(ascii: "!") }

    /// The bytes of the reply itself, without what came before it.
    public var value: ByteBuffer {
        if start == 0 { return bytes }
        return bytes.getSlice(at: bytes.readerIndex + start, length: bytes.readableBytes - start) ?? bytes
    }

    /// What a bulk string holds, or the text of a line; `nil` for "there is none".
    public var content: ByteBuffer? {
        var bytes = PeekBuffer(value)
        guard let line = bytes.peek(upTo: 13, lengthMax: bytes.count) else { return nil }
        bytes.skip(1)
        guard "$=!".utf8.contains(kind) else {
            return line.getSlice(at: line.readerIndex + 1, length: line.readableBytes - 1)
        }
        return bytes.availableBytes < 2 ? nil : bytes.peek(bytes.availableBytes - 2)
    }

    /// ``content`` as text, empty where there is none: a number, a status, an error.
    public var text: String { content.map { String(buffer: $0) } ?? "" }

    /// The values of an aggregate; none if this is none.
    public var elements: [RespReply] {
        guard "*~%>".utf8.contains(kind) else { return [] }
        let value = value
        let ends = value.withUnsafeReadableBytes { bytes in
            var scanner = RespScanner(bytes, from: 1)
            guard (try? scanner.number(-1 ... .max, orThrow: .malformedReply(""))) != nil else { return [Int]() }
            var ends = [scanner.position]
            while scanner.position < bytes.count, (try? scanner.skipValue()) == true { ends.append(scanner.position) }
            return ends
        }
        return zip(ends, ends.dropFirst()).compactMap { start, end in
            value.getSlice(at: value.readerIndex + start, length: end - start).map { RespReply($0) }
        }
    }

    /// All that is in it and has no parts, sorted: the same for the same contents in another order.
    public var leaves: [String] {
        var rest = [self]
        var leaves: [String] = []
        while let next = rest.popLast() {
            let elements = next.elements
            if elements.isEmpty { leaves.append(String(buffer: next.value)) }
            rest += elements
        }
        return leaves.sorted()
    }
}
