/// Reads replies from bytes as they come. Written for the checking client alone: what the adapter gets wrong, this one
/// does not get wrong in the same way.
package struct ReplyParser {
    private var bytes: [UInt8] = []
    private var start = 0

    package init() {}

    /// What came makes no reply, and never will.
    package struct Malformed: Error {}

    package mutating func append(_ more: ArraySlice<UInt8>) {
        if start > 0 {
            bytes.removeFirst(start)
            start = 0
        }
        bytes += more
    }

    /// The next reply, or `nil` if it is not complete.
    package mutating func next() throws(Malformed) -> Reply? {
        var position = start
        guard let reply = try reply(&position) else { return nil }
        start = position
        return reply
    }

    private func reply(_ position: inout Int) throws(Malformed) -> Reply? {
        guard let line = line(&position) else { return nil }
        guard let kind = line.first else { throw Malformed() }
        let text = String(decoding: line.dropFirst(), as: UTF8.self)
        switch kind {
        case UInt8(ascii: "+"): return .simple(text)
        case UInt8(ascii: "-"): return .error(text)
        case UInt8(ascii: ":"): return .integer(try number(text))
        case UInt8(ascii: "$"):
            let length = try number(text)
            guard length >= 0 else { return .bulk(nil) }
            guard bytes.count >= position + length + 2 else { return nil }
            let content = bytes[position..<position + length]
            guard Array(bytes[(position + length)..<(position + length + 2)]) == [13, 10] else { throw Malformed() }
            position += length + 2
            return .bulk(String(decoding: content, as: UTF8.self))
        case UInt8(ascii: "*"):
            let count = try number(text)
            guard count >= 0 else { return .array(nil) }
            var elements: [Reply] = []
            for _ in 0..<count {
                guard let element = try reply(&position) else { return nil }
                elements.append(element)
            }
            return .array(elements)
        default: throw Malformed()
        }
    }

    private func line(_ position: inout Int) -> ArraySlice<UInt8>? {
        guard let end = bytes[position...].firstIndex(of: 13), end + 1 < bytes.count else { return nil }
        defer { position = end + 2 }
        return bytes[position..<end]
    }

    private func number(_ text: String) throws(Malformed) -> Int {
        guard let number = Int(text) else { throw Malformed() }
        return number
    }
}
