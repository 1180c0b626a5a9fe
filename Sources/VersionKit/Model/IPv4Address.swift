/// An IPv4 address as a number in host byte order: 10.0.0.1 is 0x0A000001.
public struct IPv4Address: Sendable, Hashable, Comparable {
    /// The address as a number in host byte order.
    public let number: UInt32

    /// The address with this number, host byte order.
    public init(number: UInt32) { self.number = number }

    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

extension IPv4Address: LosslessStringConvertible, Codable {
    /// The address in dotted decimal form, all four parts; anything else is `nil`.
    public init?(_ description: String) {
        let parts = description.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var number: UInt32 = 0
        for part in parts {
            guard let byte = UInt8(part), String(byte) == part else { return nil }
            number = number << 8 | UInt32(byte)
        }
        self.init(number: number)
    }

    public var description: String {
        [24, 16, 8, 0].map { String(number >> $0 & 0xFF) }.joined(separator: ".")
    }

    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let address = IPv4Address(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\(text) is not an IPv4 address"))
        }
        self = address
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// An IPv4 address and a port.
public struct Endpoint: Sendable, Hashable, Codable, LosslessStringConvertible {
    /// The address.
    public var address: IPv4Address
    /// The port, host byte order.
    public var port: UInt16

    /// An endpoint.
    public init(address: IPv4Address, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// The endpoint of a text such as `10.0.0.1:7000`, or `nil`.
    public init?(_ description: String) {
        let parts = description.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(String(parts[0])), let port = UInt16(parts[1]) else {
            return nil
        }
        self.init(address: address, port: port)
    }

    public var description: String { "\(address):\(port)" }
}
