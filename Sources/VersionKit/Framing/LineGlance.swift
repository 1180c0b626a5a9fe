public import VersionKitProxy
public import VersionKitWire

/// What a quick look says of requests that are a line: a command, a key, and decimal numbers.
public struct LineGlance: Sendable {
    fileprivate let isRead: Bool
    fileprivate let words: Int
    fileprivate var zero: Int?
    fileprivate var data: Int?

    /// A read of one key, a line of so many words.
    public static func read(words: Int) -> LineGlance { LineGlance(isRead: true, words: words) }

    /// A write to one key.
    ///
    /// - Parameters:
    ///   - words: how many the line has.
    ///   - zero: which of them has to be "0".
    ///   - data: which of them says how many bytes follow the line, with another end of a line behind them.
    public static func write(words: Int, zero: Int? = nil, data: Int? = nil) -> LineGlance {
        LineGlance(isRead: false, words: words, zero: zero, data: data)
    }

    /// What it says of such a request, and how many bytes follow the line; `nil`: nothing.
    fileprivate func glance(_ found: [Slice<UnsafeRawBufferPointer>], dataMax: Int) -> (Glance, data: Int)? {
        guard found.count == words, found.dropFirst(2).allSatisfy({ $0.allSatisfy(\.isDigit) }) else { return nil }
        if let zero, !found[zero].elementsEqual(CollectionOfOne(UInt8(ascii: "0"))) { return nil }
        var length = 0
        if let data {
            guard let count = Int(String(decoding: found[data], as: UTF8.self)), count <= dataMax else { return nil }
            length = count + 2
        }
        if isRead { return (.read, length) }
        var mark = KeyMark()
        mark.combine(found[1])
        return (.write(mark), length)
    }
}

extension PeekBuffer {
    /// A quick look at a request (``MessageAdapter/glance(at:from:in:)``): `nil` if it is not complete; unusual if it is not
    /// exactly as said of its command.
    ///
    /// - Parameters:
    ///   - commands: what is said of which command.
    ///   - keyMax: bytes of a key at most.
    ///   - dataMax: bytes behind a line at most.
    public mutating func glance(by commands: [String: LineGlance], keyMax: Int, dataMax: Int) -> Glance? {
        let found = withUnsafeAvailableBytes { bytes -> (glance: Glance, length: Int)? in
            // The command and its numbers are shorter than this.
            let start = bytes.prefix(keyMax + 128)
            guard let end = start.firstIndex(of: UInt8(ascii: "\n")) else {
                // What else it could be may not have lines.
                return start.count < bytes.count || start.contains(where: { $0 > 0x7f }) ? (.unusual, 0) : nil
            }
            let line = start[end > 0 && bytes[end - 1] == UInt8(ascii: "\r") ? ..<(end - 1) : ..<end]
            let words = line.split(separator: UInt8(ascii: " "))
            guard words.count > 1, words[1].count <= keyMax,
                let known = commands[String(decoding: words[0], as: UTF8.self)],
                let (glance, data) = known.glance(words, dataMax: dataMax)
            else { return (.unusual, 0) }
            guard data > 0 else { return (glance, end + 1) }
            guard bytes.count > end + data else { return nil }
            return bytes[end + data - 1] == 13 && bytes[end + data] == 10 ? (glance, end + 1 + data) : (.unusual, 0)
        }
        guard let found else { return nil }
        skip(found.length)
        return found.glance
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= self }
}
