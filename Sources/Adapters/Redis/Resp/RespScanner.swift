import VersionKit

/// What the parser takes at most; the texts of the errors are those of Redis.
enum RespLimits {
    /// A bulk string: what fits in a message of the framework. (A Redis takes 512 MiB.)
    static let bulkBytesMax = Limits.standard.messageBytesMax
    /// Arguments of one request.
    static let argumentsMax = 1 << 20
    /// An inline request, and a simple string or number of a reply.
    static let lineBytesMax = 64 << 10
    /// Values of one reply that are still to come: each takes three bytes.
    static let valuesMax = bulkBytesMax / 3
}

/// Reads RESP 2 and 3 in place.
///
/// Nothing is kept between calls: a message that is not complete yet is looked at again from its beginning. Bulk
/// strings are passed over by their length, and an aggregate of many values is not looked at before it can be complete,
/// so this is not quadratic in practice.
struct RespScanner {
    /// Where an argument lies.
    struct Part: Sendable, Hashable {
        var start: UInt32
        var length: UInt32
    }

    let bytes: UnsafeRawBufferPointer
    var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    // MARK: Requests

    /// Passes what asks for nothing: empty lines and empty arrays.
    mutating func skipBlank() throws(ProxyError) {
        while position < bytes.count {
            guard position < RespLimits.lineBytesMax else { throw .malformedRequest("too big inline request") }
            let start = position
            if bytes[position] == UInt8(ascii: "*") {
                position += 1
                if let count = try multibulkLength(), count <= 0 { continue }
                return position = start
            }
            guard bytes[position].isSpace else { return }
            position += 1
        }
    }

    private mutating func multibulkLength() throws(ProxyError) -> Int? {
        try number(-1...RespLimits.argumentsMax) { .malformedRequest("invalid multibulk length") }
    }

    /// The arguments of a request in an array of bulk strings, or `nil` if it is not complete.
    mutating func arguments() throws(ProxyError) -> [Part]? {
        position += 1
        guard let count = try multibulkLength() else { return nil }
        // No argument takes less than six bytes.
        guard count <= 64 || bytes.count - position >= 6 * count else { return nil }
        var parts: [Part] = []
        parts.reserveCapacity(count)
        for _ in 0..<count {
            guard position < bytes.count else { return nil }
            guard bytes[position] == UInt8(ascii: "$") else {
                throw .malformedRequest("expected '$', got '\(UnicodeScalar(bytes[position]).escaped(asASCII: true))'")
            }
            position += 1
            let length = try number(0...RespLimits.bulkBytesMax) { .malformedRequest("invalid bulk length") }
            guard let length, position + length + 2 <= bytes.count else { return nil }
            parts.append(Part(start: UInt32(position), length: UInt32(length)))
            position += length + 2
            guard bytes[position - 2] == 13, bytes[position - 1] == 10 else {
                throw .malformedRequest("expected an end of line after a bulk string")
            }
        }
        return parts
    }

    // MARK: Replies

    /// Passes a reply, with attributes and pushes before it: its type and where it begins, or `nil` if not complete.
    mutating func reply() throws(ProxyError) -> (kind: UInt8, start: Int)? {
        while position < bytes.count {
            let start = position
            let kind = bytes[position]
            guard try skipValue() else { return nil }
            if kind != UInt8(ascii: "|"), kind != UInt8(ascii: ">") { return (kind, start) }
        }
        return nil
    }

    /// Passes one value with all that is in it; without recursion, so its depth does not matter.
    mutating func skipValue() throws(ProxyError) -> Bool {
        var remaining = 1
        var isOutermost = true
        while remaining > 0 {
            guard remaining <= RespLimits.valuesMax else { throw .malformedReply("a reply of \(remaining) values") }
            guard position + 3 * remaining <= bytes.count else { return false }
            let kind = bytes[position]
            position += 1
            remaining -= 1
            switch kind {
            case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: ","),
                UInt8(ascii: "#"), UInt8(ascii: "("):
                guard try skipLine() else { return false }
            case UInt8(ascii: "$"), UInt8(ascii: "="), UInt8(ascii: "!"):
                let length = try number(-1...RespLimits.bulkBytesMax) { .malformedReply("a bulk string's length") }
                guard let length else { return false }
                guard length >= 0 else { break }
                position += length + 2
                guard position <= bytes.count else { return false }
                guard bytes[position - 2] == 13 else { throw .malformedReply("a bulk string without an end") }
            case UInt8(ascii: "*"), UInt8(ascii: "~"), UInt8(ascii: ">"), UInt8(ascii: "%"), UInt8(ascii: "|"):
                let count = try number(-1...RespLimits.valuesMax) { .malformedReply("an aggregate's length") }
                guard let count else { return false }
                let isMap = kind == UInt8(ascii: "%") || kind == UInt8(ascii: "|")
                remaining += max(0, count) * (isMap ? 2 : 1)
                // An attribute comes in addition to the value that it is about.
                if kind == UInt8(ascii: "|"), !isOutermost { remaining += 1 }
            default: throw .malformedReply("no value begins with byte \(kind)")
            }
            isOutermost = false
        }
        return true
    }

    private mutating func skipLine() throws(ProxyError) -> Bool {
        let start = position
        while position + 1 < bytes.count {
            if bytes[position] == 13, bytes[position + 1] == 10 {
                position += 2
                return true
            }
            position += 1
            guard position - start <= RespLimits.lineBytesMax else { throw .malformedReply("a line without end") }
        }
        return false
    }

    /// The number before the end of the line, or `nil` if that is not there yet.
    mutating func number(_ range: ClosedRange<Int>, orThrow error: () -> ProxyError) throws(ProxyError) -> Int? {
        var index = position
        let isNegative = index < bytes.count && bytes[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        let first = index
        var value = 0
        while index < bytes.count, index - first < 18, bytes[index] &- 48 <= 9 {
            value = value * 10 + Int(bytes[index] &- 48)
            index += 1
        }
        guard index < bytes.count else { return nil }
        guard index > first, bytes[index] == 13, range.contains(isNegative ? -value : value) else { throw error() }
        guard index + 1 < bytes.count else { return nil }
        guard bytes[index + 1] == 10 else { throw error() }
        position = index + 2
        return isNegative ? -value : value
    }
}
