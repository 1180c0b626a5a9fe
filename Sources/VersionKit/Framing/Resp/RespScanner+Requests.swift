import VersionKitProxy

extension RespScanner {
    /// What one pass over a request finds: enough to cut it out and to look its command up.
    struct Request {
        /// How many words it has.
        let count: Int
        /// Where its first words lie; the second is empty if there is none.
        var first: Range<Int>
        var second: Range<Int>
    }

    /// Passes what asks for nothing: empty lines and empty arrays.
    mutating func skipBlank() throws(ProxyError) {
        while position < bytes.count {
            let start = position
            if bytes[start] == UInt8(ascii: "*") {
                // Nearly always: a request of one to nine words, or tens of them.
                if start + 1 < bytes.count, bytes[start + 1] &- UInt8(ascii: "1") < 9 { return }
                position += 1
                let count = try wordCount()
                guard let count, count <= 0 else { return position = start }
            } else if bytes[start].isSpace {
                position += 1
            } else {
                return
            }
            guard position < RespLimits.lineBytesMax else { throw .malformedRequest("too big inline request") }
        }
    }

    @inline(__always)
    private mutating func wordCount() throws(ProxyError) -> Int? {
        try number(-1...RespLimits.wordsMax, orThrow: .malformedRequest("invalid multibulk length"))
    }

    /// A request that is an array of bulk strings and not empty, or `nil` if it is not complete.
    mutating func request() throws(ProxyError) -> Request? {
        position += 1
        guard let count = try wordCount() else { return nil }
        // What asks for nothing was passed before this.
        guard count > 0 else { throw .malformedRequest("an empty request") }
        // No word takes less than six bytes.
        guard count <= 64 || bytes.count - position >= 6 * count else { return nil }
        var request = Request(count: count, first: 0..<0, second: 0..<0)
        for index in 0..<count {
            guard let word = try word() else { return nil }
            if index == 0 { request.first = word }
            if index == 1 { request.second = word }
        }
        return request
    }

    /// Passes a bulk string of a request: where its contents lie, or `nil` if it is not complete.
    @inline(__always)
    mutating func word() throws(ProxyError) -> Range<Int>? {
        guard position < bytes.count else { return nil }
        guard bytes[position] == UInt8(ascii: "$") else {
            throw Self.noWord(bytes[position])
        }
        position += 1
        let limits = 0...RespLimits.bulkBytesMax
        guard let length = try number(limits, orThrow: .malformedRequest("invalid bulk length")) else { return nil }
        let end = position + length
        guard end + 2 <= bytes.count else { return nil }
        guard bytes[end] == 13, bytes[end + 1] == 10 else {
            throw .malformedRequest("expected an end of line after a bulk string")
        }
        defer { position = end + 2 }
        return position..<end
    }

    /// Out of the way of what is always done.
    @inline(never)
    private static func noWord(_ byte: UInt8) -> ProxyError {
        .malformedRequest("expected '$', got '\(UnicodeScalar(byte).escaped(asASCII: true))'")
    }
}
