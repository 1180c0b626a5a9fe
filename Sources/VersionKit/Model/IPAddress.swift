/// An IPv4 or IPv6 address of one host, without a scope.
///
/// Both kinds are the 128 bits of IPv6, those of IPv4 in the range ::ffff:0:0/96 (RFC 4291, 2.5.5.2); so one that is written
/// `::ffff:10.0.0.1` is `10.0.0.1`. Sorts by number, IPv4 before most of IPv6.
public struct IPAddress: Sendable, Hashable {
    /// The first 64 bits.
    public let high: UInt64
    /// The last 64 bits.
    public let low: UInt64

    /// The address with these bits.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The IPv4 address with this number, host byte order.
    public init(v4 number: UInt32) { self.init(high: 0, low: 0xFFFF << 32 | UInt64(number)) }

    /// The number of an IPv4 address, host byte order; `nil` for IPv6.
    public var v4: UInt32? { isV4 ? UInt32(truncatingIfNeeded: low) : nil }

    /// Which of the two kinds it is.
    public var family: Family { isV4 ? .v4 : .v6 }

    /// The address so many numbers further on, within the last 64 bits, or within IPv4.
    public func advanced(by count: Int) -> IPAddress {
        if let number = v4 { return IPAddress(v4: number &+ UInt32(truncatingIfNeeded: count)) }
        return IPAddress(high: high, low: low &+ UInt64(truncatingIfNeeded: count))
    }

    private var isV4: Bool { high == 0 && low >> 32 == 0xFFFF }
}

extension IPAddress {
    /// IPv4 or IPv6.
    public enum Family: String, Sendable, Hashable, Codable, CaseIterable {
        case v4
        case v6

        /// The address that stands for all of a host's: 0.0.0.0 or ::.
        public var any: IPAddress { self == .v4 ? IPAddress(v4: 0) : IPAddress(high: 0, low: 0) }

        /// 127.0.0.1 or ::1.
        public var loopback: IPAddress { self == .v4 ? IPAddress(v4: 0x7F00_0001) : IPAddress(high: 0, low: 1) }
    }

    /// Whether it stands for all addresses of a host.
    public var isAny: Bool { self == family.any }

    /// Whether it can be the address of one host: not the unspecified one, not multicast, not broadcast.
    public var isUnicast: Bool {
        guard let number = v4 else { return high >> 56 != 0xFF && !isAny }
        return number < 0xE000_0000 && number >> 24 != 0
    }

    /// Whether it means another host on each link (fe80::/10), so that it says nothing without an interface.
    public var isLinkLocal: Bool { high >> 54 == 0xFE80 >> 6 }
}

extension IPAddress: Comparable {
    public static func < (left: Self, right: Self) -> Bool { (left.high, left.low) < (right.high, right.low) }
}
