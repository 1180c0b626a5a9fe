import VersionKitProxy

/// Reads RESP 2 and 3 in place, without allocating anything.
///
/// Nothing is kept between calls: a message that is not complete yet is looked at again from its beginning. Bulk
/// strings are passed over by their length, and an aggregate of many values is not looked at before it can be complete,
/// so this is not quadratic in practice.
struct RespScanner {
    let bytes: UnsafeRawBufferPointer
    var position: Int

    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer, from position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    /// The length or count before the end of the line, or `nil` if that is not there yet.
    @inline(__always)
    mutating func number(
        _ range: ClosedRange<Int>, orThrow error: @autoclosure () -> ProxyError
    ) throws(ProxyError) -> Int? {
        // What is nearly always there: a few digits and the end of the line.
        var index = position
        var value = 0
        let last = min(bytes.count - 1, position + 9)
        while index < last, bytes[index] &- 48 <= 9 {
            value = value &* 10 &+ Int(bytes[index] &- 48)
            index &+= 1
        }
        guard index > position, index < last, bytes[index] == 13, bytes[index + 1] == 10, range.contains(value) else {
            guard let slow = unusualNumber() else { return nil }
            guard let number = slow, range.contains(number) else { throw error() }
            return number
        }
        position = index + 2
        return value
    }

    /// ``number(_:orThrow:)`` of anything: `nil` if the end of the line is not there yet, no number if it is none. A
    /// line of which that is clear without its end has no number.
    @inline(never)
    private mutating func unusualNumber() -> Int?? {
        var index = position
        let isNegative = index < bytes.count && bytes[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        let first = index
        var value = 0
        // Eighteen digits cannot overflow.
        while index < bytes.count, index - first < 18, bytes[index] &- 48 <= 9 {
            value = value &* 10 &+ Int(bytes[index] &- 48)
            index += 1
        }
        guard index < bytes.count else { return nil }
        guard index > first, bytes[index] == 13 else { return .some(nil) }
        guard index + 1 < bytes.count else { return nil }
        guard bytes[index + 1] == 10 else { return .some(nil) }
        position = index + 2
        return isNegative ? -value : value
    }
}

extension UInt8 {
    /// The letter in lower case.
    var lowered: UInt8 { self &- 65 < 26 ? self | 32 : self }

    /// Whether it parts words.
    var isSpace: Bool { self == 32 || (9...13).contains(self) }
}
