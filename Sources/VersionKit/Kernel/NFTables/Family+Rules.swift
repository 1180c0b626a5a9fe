import VersionKitModel

/// How the two kinds of IP are called in rules. Pure.
extension IPAddress.Family {
    /// nftables' word for a table of this kind, and for the header of its packets.
    var word: String { self == .v4 ? "ip" : "ip6" }

    /// nftables' type of an address.
    var addressType: String { self == .v4 ? "ipv4_addr" : "ipv6_addr" }

    /// The option of `ip` for this kind.
    var option: String { self == .v4 ? "-4" : "-6" }

    /// All addresses, as `ip` reads it.
    var everything: String { self == .v4 ? "0.0.0.0/0" : "::/0" }

    /// The length of the prefix that all environments share.
    var environmentPrefix: Int { self == .v4 ? 16 : 64 }
}
