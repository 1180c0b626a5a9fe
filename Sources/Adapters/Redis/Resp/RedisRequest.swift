import VersionKit

/// A request to a Redis: its bytes, and where its arguments lie in them.
public struct RedisRequest: Sendable {
    /// An array of bulk strings, or several of them (a transaction).
    private(set) var bytes: ByteBuffer
    private(set) var parts: [RespScanner.Part]
    /// What it asks for; `nil` if no such command is known, and for the library's own requests.
    var command: RedisCommand?
    /// Whether ``bytes`` are others than those that the client sent.
    private(set) var isRewritten = false
    /// So many replies come before the one that counts.
    private(set) var skippedReplies = 0
    /// Of a transaction: for each of its commands whether versions have to answer it alike.
    private(set) var compared: [Bool] = []

    init(_ bytes: ByteBuffer, _ parts: [RespScanner.Part], _ command: RedisCommand?, isRewritten: Bool) {
        self.bytes = bytes
        self.parts = parts
        self.command = command
        self.isRewritten = isRewritten
    }

    /// A request of these arguments.
    init(_ arguments: [ByteBuffer], _ command: RedisCommand? = nil) {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(arguments.reduce(16) { $0 + $1.readableBytes + 16 })
        var parts: [RespScanner.Part] = []
        parts.reserveCapacity(arguments.count)
        bytes.writeStaticString("*")
        bytes.writeString(String(arguments.count))
        for argument in arguments {
            bytes.writeStaticString("\r\n$")
            bytes.writeString(String(argument.readableBytes))
            bytes.writeStaticString("\r\n")
            let length = UInt32(argument.readableBytes)
            parts.append(RespScanner.Part(start: UInt32(bytes.readableBytes), length: length))
            bytes.writeImmutableBuffer(argument)
        }
        bytes.writeStaticString("\r\n")
        self.init(bytes, parts, command, isRewritten: true)
    }

    /// A request of these words, for the adapter's own use.
    init(_ words: String...) { self.init(words.map { ByteBuffer(string: $0) }) }

    /// The request `last`, with others before it whose replies nobody gets.
    init(_ last: RedisRequest, after others: [RedisRequest], compared: [Bool] = []) {
        self = last
        bytes = ByteBuffer()
        parts = []
        isRewritten = true
        skippedReplies = others.count
        self.compared = compared
        bytes.reserveCapacity(others.reduce(last.bytes.readableBytes) { $0 + $1.bytes.readableBytes })
        for request in others { bytes.writeImmutableBuffer(request.bytes) }
        bytes.writeImmutableBuffer(last.bytes)
    }

    /// With bytes of its own: what is kept must not keep all that was received with it.
    var detached: RedisRequest {
        RedisRequest(ByteBuffer(bytes: bytes.readableBytesView), parts, command, isRewritten: true)
    }

    /// How many arguments there are, the command's name included.
    var count: Int { parts.count }

    /// An argument; empty where there is none.
    subscript(index: Int) -> ByteBuffer {
        guard parts.indices.contains(index) else { return ByteBuffer() }
        let part = parts[index]
        return bytes.getSlice(at: bytes.readerIndex + Int(part.start), length: Int(part.length)) ?? ByteBuffer()
    }

    /// An argument as a number.
    func integer(_ index: Int) -> Int64? { Int64(String(buffer: self[index])) }

    /// Whether an argument is this word, in whatever case; `word` is in lower case.
    func matches(_ index: Int, _ word: String) -> Bool {
        guard parts.indices.contains(index), Int(parts[index].length) == word.utf8.count else { return false }
        return bytes.withUnsafeReadableBytes { bytes in
            let argument = bytes[Int(parts[index].start)...].prefix(Int(parts[index].length))
            return argument.elementsEqual(word.utf8) { $0.lowered == $1 }
        }
    }

    /// The first argument from `start` on that is this word.
    func index(of word: String, from start: Int) -> Int? {
        guard start < count else { return nil }
        return (start..<count).first { matches($0, word) }
    }

    /// The same command with other arguments.
    mutating func rewrite(_ change: (inout [ByteBuffer]) -> Void) {
        var arguments = parts.indices.map { self[$0] }
        change(&arguments)
        self = RedisRequest(arguments, command)
    }
}

extension UInt8 {
    /// The letter in lower case.
    var lowered: UInt8 { self &- 65 < 26 ? self | 32 : self }
}
