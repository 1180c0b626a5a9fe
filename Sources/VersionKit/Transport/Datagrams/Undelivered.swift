import VersionKitModel

/// Why a datagram did not arrive, whichever kind of IP said it. A pure value (RFC 792, 1191, 4443).
enum Undelivered: Sendable, CaseIterable {
    case noRoute
    case prohibited
    case noHost
    case portClosed
    /// It does not fit the path in one piece.
    case tooLong

    /// What an error message means; `nil`: nothing that its sender would have to be told.
    init?(icmpType type: UInt8, code: UInt8, family: IPAddress.Family) {
        switch (family, type, code) {
        case (.v4, 3, 0): self = .noRoute
        case (.v4, 3, 3): self = .portClosed
        case (.v4, 3, 4): self = .tooLong
        case (.v4, 3, 9...10), (.v4, 3, 13): self = .prohibited
        case (.v4, 3, _): self = .noHost
        case (.v6, 1, 0): self = .noRoute
        case (.v6, 1, 4): self = .portClosed
        case (.v6, 1, 1), (.v6, 1, 5...6): self = .prohibited
        case (.v6, 1, _): self = .noHost
        case (.v6, 2, _): self = .tooLong
        default: return nil
        }
    }

    /// The message's type and code.
    func icmp(_ family: IPAddress.Family) -> (type: UInt8, code: UInt8) {
        switch (family, self) {
        case (.v4, .noRoute): (3, 0)
        case (.v4, .prohibited): (3, 13)
        case (.v4, .noHost): (3, 1)
        case (.v4, .portClosed): (3, 3)
        case (.v4, .tooLong): (3, 4)
        case (.v6, .noRoute): (1, 0)
        case (.v6, .prohibited): (1, 1)
        case (.v6, .noHost): (1, 3)
        case (.v6, .portClosed): (1, 4)
        case (.v6, .tooLong): (2, 0)
        }
    }

    /// By what name it is counted.
    var reason: String {
        switch self {
        case .portClosed: "peer-port-closed"
        case .tooLong: "too-long-for-path"
        case .noRoute, .prohibited, .noHost: "peer-unreachable"
        }
    }
}

/// How long packets are.
extension IPAddress.Family {
    /// The longest that every path takes; for IPv6 nobody can be told of less (RFC 791, 8200).
    var pathBytesMin: Int { self == .v4 ? 68 : 1280 }

    /// An IP header without options and a UDP header.
    var datagramHeadersBytes: Int { self == .v4 ? 28 : 48 }
}
