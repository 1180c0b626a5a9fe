import VersionKitProxy

extension RespScanner {
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
                let length = try number(
                    -1...RespLimits.bulkBytesMax, orThrow: .malformedReply("a bulk string's length"))
                guard let length else { return false }
                guard length >= 0 else { break }
                position += length + 2
                guard position <= bytes.count else { return false }
                guard bytes[position - 2] == 13 else { throw .malformedReply("a bulk string without an end") }
            case UInt8(ascii: "*"), UInt8(ascii: "~"), UInt8(ascii: ">"), UInt8(ascii: "%"), UInt8(ascii: "|"):
                let count = try number(-1...RespLimits.valuesMax, orThrow: .malformedReply("an aggregate's length"))
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
}
