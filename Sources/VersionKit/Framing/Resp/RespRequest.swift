public import NIOCore
public import VersionKitProxy
public import VersionKitWire

/// A request in RESP: its bytes, an array of bulk strings, and which command it asks for.
///
/// Where its words lie is not kept: most requests are sent on without a look at them. Each use of a word walks from the
/// first one, which passes over contents by their length; whoever uses many asks for ``words(_:through:by:)``.
public struct RespRequest: VerbatimMessage {
    /// Without those that go before it.
    private(set) var ownBytes: ByteBuffer
    /// How many words there are, the command's name included.
    public private(set) var count: Int
    /// The place of its command in a ``RespCommandTable``; `nil` if that has none of its name, and for requests that were
    /// not read from a stream.
    public internal(set) var commandNumber: Int?
    /// Whether ``bytes`` are others than those that the client sent.
    public private(set) var isRewritten: Bool
    /// Requests that are sent before it in one piece, whose replies nobody gets.
    public private(set) var preceding: [RespRequest] = []

    /// Reads a client's request, an array of bulk strings or a line; `nil`: not complete yet. What asks for nothing
    /// (empty lines, empty arrays) is passed.
    ///
    /// - Throws: ``ProxyError/malformedRequest(_:)`` in the words of Redis.
    public init?(_ bytes: inout PeekBuffer, _ commands: RespCommandTable) throws(ProxyError) {
        let found = try bytes.withUnsafeAvailableBytes { bytes throws(ProxyError) -> Found? in
            var scanner = RespScanner(bytes)
            try scanner.skipBlank()
            let start = scanner.position
            guard start < bytes.count else { return nil }
            guard bytes[start] == UInt8(ascii: "*") else { return Found(start: start, end: start, words: 0) }
            guard let request = try scanner.request() else { return nil }
            let command = commands.find(request, in: bytes)
            return Found(start: start, end: scanner.position, words: request.count, command: command)
        }
        guard let found else { return nil }
        bytes.skip(found.start)
        guard found.words > 0 else {
            guard let line = try Self(line: &bytes, commands) else { return nil }
            self = line
            return
        }
        guard let own = bytes.peek(found.end - found.start) else { return nil }
        self.init(own, found.words, found.command, isRewritten: found.start > 0)
    }

    private struct Found {
        var start: Int
        var end: Int
        /// None: it is a line.
        var words: Int
        var command: Int?
    }

    /// Reads an inline request, and makes it the form that all others have.
    private init?(line bytes: inout PeekBuffer, _ commands: RespCommandTable) throws(ProxyError) {
        let line = try bytes.withUnsafeAvailableBytes { bytes throws(ProxyError) -> (words: [ByteBuffer], end: Int)? in
            var scanner = RespScanner(bytes)
            return try scanner.inlineWords().map { ($0, scanner.position) }
        }
        guard let line else { return nil }
        bytes.skip(line.end)
        self.init(line.words)
        commandNumber = ownBytes.withUnsafeReadableBytes { bytes in
            var scanner = RespScanner(bytes)
            return (try? scanner.request()).flatMap { commands.find($0, in: bytes) }
        }
    }

    private init(_ bytes: ByteBuffer, _ count: Int, _ commandNumber: Int?, isRewritten: Bool) {
        ownBytes = bytes
        self.count = count
        self.commandNumber = commandNumber
        self.isRewritten = isRewritten
    }

    /// A request of these words.
    public init(_ words: [ByteBuffer]) {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(words.reduce(16) { $0 + $1.readableBytes + 16 })
        bytes.writeStaticString("*")
        bytes.writeString(String(words.count))
        for word in words {
            bytes.writeStaticString("\r\n$")
            bytes.writeString(String(word.readableBytes))
            bytes.writeStaticString("\r\n")
            bytes.writeImmutableBuffer(word)
        }
        bytes.writeStaticString("\r\n")
        self.init(bytes, words.count, nil, isRewritten: true)
    }

    /// A request of these words: strings, numbers and bytes.
    public init(_ words: any RespWord...) { self.init(words.map(\.respWord)) }

    /// Has others sent before it in one piece, whose replies nobody gets.
    public mutating func precede(with others: [RespRequest]) {
        preceding = others + preceding
        isRewritten = true
    }

    /// What is sent: with those that go before it.
    public var bytes: ByteBuffer {
        if preceding.isEmpty { return ownBytes }
        let pieces = preceding.map(\.bytes) + [ownBytes]
        var whole = ByteBuffer()
        whole.reserveCapacity(pieces.reduce(0) { $0 + $1.readableBytes })
        for piece in pieces { whole.writeImmutableBuffer(piece) }
        return whole
    }

    /// With bytes of its own: what is kept must not keep all that was received with it.
    public var detached: RespRequest {
        RespRequest(ByteBuffer(bytes: ownBytes.readableBytesView), count, commandNumber, isRewritten: true)
    }
}

/// What a word of a request can be made of.
public protocol RespWord {
    /// The word's bytes.
    var respWord: ByteBuffer { get }
}

extension ByteBuffer: RespWord {
    public var respWord: ByteBuffer { self }
}

extension String: RespWord {
    public var respWord: ByteBuffer { ByteBuffer(string: self) }
}

extension Int64: RespWord {
    public var respWord: ByteBuffer { ByteBuffer(string: String(self)) }
}
