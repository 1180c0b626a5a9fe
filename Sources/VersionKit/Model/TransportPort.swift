/// The transport protocols whose ports applications register (R5, R7).
public enum TransportProtocol: UInt8, Sendable, Hashable, Comparable, CaseIterable, Codable {
    /// TCP; the raw value is the protocol's number (IANA).
    case tcp = 6
    /// UDP.
    case udp = 17

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension TransportProtocol: CustomStringConvertible {
    /// `tcp` or `udp`.
    public var description: String {
        switch self {
        case .tcp: "tcp"
        case .udp: "udp"
        }
    }
}

/// A port of one transport protocol: what an application registers, `7000` or `7000/udp`.
public struct TransportPort: Sendable, Hashable, Comparable {
    /// The port, host byte order.
    public var number: UInt16
    /// Its protocol.
    public var transport: TransportProtocol

    /// A port.
    public init(_ number: UInt16, _ transport: TransportProtocol) {
        self.number = number
        self.transport = transport
    }

    /// The TCP port with this number.
    public static func tcp(_ number: UInt16) -> TransportPort { TransportPort(number, .tcp) }

    /// The UDP port with this number.
    public static func udp(_ number: UInt16) -> TransportPort { TransportPort(number, .udp) }

    public static func < (left: Self, right: Self) -> Bool {
        (left.number, left.transport) < (right.number, right.transport)
    }
}

extension TransportPort: ExpressibleByIntegerLiteral {
    /// The TCP port with this number.
    public init(integerLiteral number: UInt16) { self = .tcp(number) }
}

extension TransportPort: LosslessStringConvertible {
    /// The port of a text such as `7000`, `7000/tcp` or `7000/udp`, or `nil`.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first, let number = UInt16(first), String(number) == first else {
            return nil
        }
        guard parts.count == 2 else {
            self = .tcp(number)
            return
        }
        guard let transport = TransportProtocol.allCases.first(where: { $0.description == parts[1] }) else {
            return nil
        }
        self.init(number, transport)
    }

    /// `7000` for TCP, `7000/udp` for UDP.
    public var description: String { transport == .tcp ? "\(number)" : "\(number)/\(transport)" }
}

extension TransportPort: Codable {
    private enum CodingKeys: String, CodingKey {
        case udp
    }

    /// Reads a number, which is a TCP port, or an object such as `{ "udp": 7000 }`.
    public init(from decoder: any Decoder) throws {
        if let number = try? decoder.singleValueContainer().decode(UInt16.self) {
            self = .tcp(number)
        } else {
            self = .udp(try decoder.container(keyedBy: CodingKeys.self).decode(UInt16.self, forKey: .udp))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch transport {
        case .tcp:
            var container = encoder.singleValueContainer()
            try container.encode(number)
        case .udp:
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(number, forKey: .udp)
        }
    }
}
