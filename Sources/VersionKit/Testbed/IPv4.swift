/// An IPv4 address, written with four decimal numbers.
struct IPv4Address: Hashable {
    var bits: UInt32

    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            // "010" is octal to some programs: refused. So is "+1", which UInt8 would take.
            guard let number = UInt8(part), String(number) == part else { return nil }
            bits = bits << 8 | UInt32(number)
        }
        self.bits = bits
    }
}

/// A range of addresses, written as an address and the length of the part all have in common.
struct IPv4Subnet: Hashable {
    var address: IPv4Address
    var prefixLength: Int

    /// Nil also when there is no room for two hosts.
    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(String(parts[0])), let length = Int(parts[1]),
            (1...30).contains(length), address.bits & (UInt32.max >> UInt32(length)) == 0
        else { return nil }
        self.address = address
        self.prefixLength = length
    }

    /// Whether a host may have this address: not that of the subnet, nor its broadcast address.
    func containsHost(_ host: IPv4Address) -> Bool {
        let hostMask = UInt32.max >> UInt32(prefixLength)
        let hostPart = host.bits & hostMask
        return host.bits & ~hostMask == address.bits && hostPart != 0 && hostPart != hostMask
    }
}
