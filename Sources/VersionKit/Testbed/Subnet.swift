internal import VersionKitModel

/// A range of addresses, written as an address and the length of the part all have in common.
struct Subnet: Hashable {
    var address: IPAddress
    var prefixLength: Int

    /// Nil also when there is no room for two hosts, or when it is of the other kind.
    init?(_ text: String, of family: IPAddress.Family) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(String(parts[0])), address.family == family,
            let length = Int(parts[1]), (1...family.bits - 2).contains(length)
        else { return nil }
        self.address = address
        self.prefixLength = length
        guard hostPart(of: address) == 0 else { return nil }
    }

    /// Whether a host may have this address: not that of the subnet, nor in IPv4 its broadcast address.
    func containsHost(_ host: IPAddress) -> Bool {
        let part = hostPart(of: host)
        return host.family == address.family && host.number & ~mask == address.number && part != 0
            && (part != mask || host.family == .v6)
    }

    private var mask: UInt128 { 1 << UInt128(address.family.bits - prefixLength) - 1 }

    private func hostPart(of host: IPAddress) -> UInt128 { host.number & mask }
}

extension IPAddress.Family {
    fileprivate var bits: Int { self == .v4 ? 32 : 128 }
}

extension IPAddress {
    fileprivate var number: UInt128 { UInt128(high) << 64 | UInt128(low) }
}
