/// A point of the ring: a number of 160 bits, with the arithmetic of a circle (CFS 2004, `chordID`; `NBIT` is 160).
///
/// Nodes and blocks have one each. Sums and differences wrap around.
public struct ChordID: Hashable, Sendable {
    /// How many bytes one has.
    public static let byteCount = 20
    /// How many bits one has.
    public static let bitCount = 160

    @usableFromInline let high: UInt32
    @usableFromInline let middle: UInt64
    @usableFromInline let low: UInt64

    @inlinable
    init(high: UInt32, middle: UInt64, low: UInt64) {
        self.high = high
        self.middle = middle
        self.low = low
    }

    /// A small number.
    @inlinable
    public init(_ number: UInt64) { self.init(high: 0, middle: 0, low: number) }

    /// The number that these bytes are, most significant first.
    ///
    /// Leading zeros do not matter; nil if the number has more than 160 bits.
    @inlinable
    public init?(bigEndian bytes: some Collection<UInt8>) {
        let digits = bytes.drop { $0 == 0 }
        guard digits.count <= Self.byteCount else { return nil }
        var high: UInt32 = 0
        var middle: UInt64 = 0
        var low: UInt64 = 0
        for byte in digits {
            high = high << 8 | UInt32(middle >> 56)
            middle = middle << 8 | low >> 56
            low = low << 8 | UInt64(byte)
        }
        self.init(high: high, middle: middle, low: low)
    }

    /// A random one.
    public init(using random: inout some RandomNumberGenerator) {
        self.init(high: random.next(), middle: random.next(), low: random.next())
    }

    /// The 20 bytes, most significant first.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: high >> shift)) }
        for word in [middle, low] {
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        return bytes
    }

    /// The sum on the circle.
    @inlinable
    public static func &+ (left: Self, right: Self) -> Self {
        let (low, carry) = left.low.addingReportingOverflow(right.low)
        let (first, carryA) = left.middle.addingReportingOverflow(right.middle)
        let (middle, carryB) = first.addingReportingOverflow(carry ? 1 : 0)
        return Self(high: left.high &+ right.high &+ (carryA || carryB ? 1 : 0), middle: middle, low: low)
    }

    /// The difference on the circle: how far it is from the right one to the left one, clockwise.
    @inlinable
    public static func &- (left: Self, right: Self) -> Self {
        let (low, borrow) = left.low.subtractingReportingOverflow(right.low)
        let (first, borrowA) = left.middle.subtractingReportingOverflow(right.middle)
        let (middle, borrowB) = first.subtractingReportingOverflow(borrow ? 1 : 0)
        return Self(high: left.high &- right.high &- (borrowA || borrowB ? 1 : 0), middle: middle, low: low)
    }

    /// The point behind this one.
    @inlinable
    public var next: Self { self &+ Self(1) }

    /// The point before this one.
    @inlinable
    public var previous: Self { self &- Self(1) }

    /// Two to a power below 160: the width of a finger's jump.
    public static func power(ofTwo exponent: Int) -> Self {
        switch exponent {
        case 0..<64: Self(high: 0, middle: 0, low: 1 << UInt64(exponent))
        case 64..<128: Self(high: 0, middle: 1 << UInt64(exponent - 64), low: 0)
        default: Self(high: 1 << UInt32(exponent - 128), middle: 0, low: 0)
        }
    }

    /// How many doublings of one fit into this number: the index of its highest bit, nil for zero.
    public var highestBit: Int? {
        if high != 0 { return 159 - high.leadingZeroBitCount }
        if middle != 0 { return 127 - middle.leadingZeroBitCount }
        return low == 0 ? nil : 63 - low.leadingZeroBitCount
    }

    /// About this number as a fraction of the circle, 0 up to 1: for estimates and plots only.
    public var fraction: Double {
        (Double(high) + (Double(middle) + Double(low) / 18_446_744_073_709_551_616) / 18_446_744_073_709_551_616)
            / 4_294_967_296
    }

    /// The bits from `position` on, counted from the most significant one, `count` of them (64 at most).
    public func bits(from position: Int, count: Int) -> UInt64 {
        let shift = Self.bitCount - position - count
        let word: UInt64
        switch shift {
        case 0..<64: word = shift == 0 ? low : low >> UInt64(shift) | middle << UInt64(64 - shift)
        case 64..<128:
            word = shift == 64 ? middle : middle >> UInt64(shift - 64) | UInt64(high) << UInt64(128 - shift)
        default: word = UInt64(high >> UInt32(shift - 128))
        }
        return word & (count == 64 ? .max : 1 << UInt64(count) - 1)
    }
}

extension ChordID: Comparable {
    @inlinable
    public static func < (left: Self, right: Self) -> Bool {
        if left.high != right.high { return left.high < right.high }
        if left.middle != right.middle { return left.middle < right.middle }
        return left.low < right.low
    }
}

/// Intervals of the circle, as the historic nodes mean them: if both ends are the same point, the interval is the whole
/// circle, without that point if neither end belongs to it.
extension ChordID {
    /// Whether this is in (a, b).
    @inlinable
    public func isBetween(_ start: Self, _ end: Self) -> Bool {
        if start == end { return self != start }
        return self != start && self &- start < end &- start
    }

    /// Whether this is in (a, b]: what a node of the id `b` is responsible for if its predecessor's is `a`.
    @inlinable
    public func isBehind(_ start: Self, upTo end: Self) -> Bool {
        if start == end { return true }
        return self != start && self &- start <= end &- start
    }

    /// Whether this is in [a, b).
    @inlinable
    public func isFrom(_ start: Self, before end: Self) -> Bool {
        start == end || self &- start < end &- start
    }

    /// Whether this is in [a, b].
    @inlinable
    public func isFrom(_ start: Self, through end: Self) -> Bool {
        start == end || self &- start <= end &- start
    }
}

/// Lower-case hexadecimal digits without leading zeros, as the historic programs print them.
extension ChordID: LosslessStringConvertible {
    public init?(_ text: String) {
        let digits = text.utf8.drop { $0 == UInt8(ascii: "0") }
        guard !text.isEmpty, digits.count <= 2 * Self.byteCount else { return nil }
        var high: UInt32 = 0
        var middle: UInt64 = 0
        var low: UInt64 = 0
        for character in digits {
            guard let digit = Self.digit(character) else { return nil }
            high = high << 4 | UInt32(middle >> 60)
            middle = middle << 4 | low >> 60
            low = low << 4 | digit
        }
        self.init(high: high, middle: middle, low: low)
    }

    private static func digit(_ character: UInt8) -> UInt64? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(character - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(character - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(character - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    public var description: String {
        let digits = bytes.flatMap { [$0 >> 4, $0 & 15] }.drop { $0 == 0 }
        let text = digits.map { $0 < 10 ? UInt8(ascii: "0") + $0 : UInt8(ascii: "a") - 10 + $0 }
        return text.isEmpty ? "0" : String(decoding: text, as: UTF8.self)
    }
}
