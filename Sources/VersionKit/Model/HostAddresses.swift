/// The addresses of one host or environment: one of IPv4, one of IPv6, or one of each.
public struct HostAddresses: Sendable, Hashable {
    private var v4: IPAddress?
    private var v6: IPAddress?

    /// Of two of the same kind the last one counts.
    public init(_ first: IPAddress, _ others: IPAddress...) {
        for address in [first] + others {
            switch address.family {
            case .v4: v4 = address
            case .v6: v6 = address
            }
        }
    }

    /// The address of this kind, if there is one.
    public subscript(family: IPAddress.Family) -> IPAddress? { family == .v4 ? v4 : v6 }

    /// All of them, IPv4 first.
    public var all: [IPAddress] { [v4, v6].compactMap(\.self) }

    /// The kinds there are.
    public var families: [IPAddress.Family] { all.map(\.family) }

    /// The one that stands for the host where one has to do: that of IPv4, if there is one.
    public var primary: IPAddress {
        guard let address = v4 ?? v6 else { preconditionFailure("a host without an address") }
        return address
    }

    /// The same kinds, with other addresses.
    ///
    /// - Parameter change: makes of each address another one of its kind.
    public func map(_ change: (IPAddress) -> IPAddress) -> HostAddresses {
        var addresses = self
        (addresses.v4, addresses.v6) = (v4.map(change), v6.map(change))
        return addresses
    }

    /// Whether it is one of them.
    public func contains(_ address: IPAddress) -> Bool { self[address.family] == address }
}

extension HostAddresses: CustomStringConvertible {
    public var description: String { all.map(\.description).joined(separator: ", ") }
}

extension HostAddresses: Codable {
    /// One address, or a list of at most one of each kind.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let address = try? container.decode(IPAddress.self) {
            self.init(address)
            return
        }
        let addresses = try container.decode([IPAddress].self)
        guard let first = addresses.first, Set(addresses.map(\.family)).count == addresses.count else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not one address of IPv4, one of IPv6, or one of each")
        }
        self.init(first)
        for address in addresses.dropFirst() {
            if address.family == .v4 { v4 = address } else { v6 = address }
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if all.count == 1 { try container.encode(primary) } else { try container.encode(all) }
    }
}
