import VersionKit

/// One request: a line of words, and for some commands a block of data behind it.
public struct MemcachedRequest: Sendable, Hashable {
    /// Bytes of a line: room for a `get` of 250 keys of the greatest length.
    static let lineMax = 64 << 10
    /// Bytes of a key: memcached's own limit.
    static let keyMax = 250
    /// Seconds that memcached takes for a delay, thirty days; more are a time of day.
    static let delayMax: Int64 = 60 * 60 * 24 * 30

    /// The commands that clients may use: which words of the line are keys, and which one is the time at which a value
    /// expires (0, the command itself: none). Where that is the fourth, a block of data follows.
    static let commands: [String: (keys: Range<Int>, expiry: Int)] = [
        "get": (1..<Int.max, 0), "gets": (1..<Int.max, 0), "gat": (2..<Int.max, 1), "gats": (2..<Int.max, 1),
        "set": (1..<2, 3), "add": (1..<2, 3), "replace": (1..<2, 3), "append": (1..<2, 3), "prepend": (1..<2, 3),
        "cas": (1..<2, 3), "touch": (1..<2, 2), "delete": (1..<2, 0), "incr": (1..<2, 0), "decr": (1..<2, 0),
        "flush_all": (0..<0, 1), "version": (0..<0, 0), "verbosity": (0..<0, 0), "stats": (0..<0, 0),
    ]

    /// The line, without `noreply`.
    private(set) var words: [ByteBuffer]
    /// The block of data, with the line's end behind it.
    private var data = ByteBuffer()
    /// The client wants no reply. The versions are asked for one all the same: it must be known whether they did it.
    private(set) var isQuiet = false
    /// A time in it was made absolute.
    private var isFixed = false
    /// The versions take the client's own bytes.
    var isVerbatim: Bool { !isQuiet && !isFixed }

    /// A request of the adapter's own; its second word is a place for the key.
    init(_ line: String, _ key: ByteBuffer? = nil, data: ByteBuffer = ByteBuffer()) {
        (words, self.data) = (ByteBuffer(string: line).words, data)
        if let key { words[1] = key }
    }

    /// Reads a client's request; `nil`: not complete yet. What is wrong with a line, the versions say themselves, if it
    /// is clear where the next one begins.
    init?(_ bytes: inout PeekBuffer, valueMax: Int) throws(ProxyError) {
        if bytes.prefix(1) == ByteBuffer(bytes: [0x80]) { throw .malformedRequest("no binary protocol here") }
        guard let line = try bytes.peekLine(lengthMax: Self.lineMax, orThrow: .badLine) else { return nil }
        words = line.words
        if ["mg", "ms", "md", "ma", "mn", "me"].contains(name) { throw .malformedRequest("no meta commands here") }
        guard let command = Self.commands[name] else { return }
        while command.keys.upperBound < .max, words.last == ByteBuffer(string: "noreply") {
            isQuiet = true
            words.removeLast()
        }
        guard keys.allSatisfy({ $0.readableBytes <= Self.keyMax }) else { throw .badLine }
        guard command.expiry == 3 else { return }
        let count = name == "cas" ? 6 : 5
        guard words.count == count, words[2...].allSatisfy({ $0.number != nil }) else { throw .badLine }
        guard let length = words[4].number, 0...valueMax ~= Int(length) else { throw .tooLarge }
        guard let data = bytes.peek(Int(length) + 2) else { return nil }
        guard data.readableBytesView.suffix(2) == [13, 10] else { throw .malformedRequest("bad data chunk") }
        self.data = data
    }

    /// The command.
    var name: String { words.first.map { String(buffer: $0) } ?? "" }

    /// The keys that it names.
    var keys: [ByteBuffer] { Array(words[(Self.commands[name]?.keys ?? 0..<0).clamped(to: words.indices)]) }

    /// Makes "in a minute" a time of day, which means the same to a version that hears of it later.
    mutating func fixExpiry(at seconds: Int64) {
        guard let place = Self.commands[name]?.expiry, words.indices.contains(place) else { return }
        guard let delay = words[place].number, (1...Self.delayMax).contains(delay) else { return }
        words[place] = ByteBuffer(string: "\(seconds + delay)")
        isFixed = true
    }

    /// The request as memcached reads it.
    var bytes: ByteBuffer {
        ByteBuffer(bytes: words.map(\.readableBytesView).joined(separator: [32]) + [13, 10] + data.readableBytesView)
    }
}

extension ProxyError {
    static let tooLarge = malformedRequest("object too large for cache")
    static let badLine = malformedRequest("bad command line format")
}
