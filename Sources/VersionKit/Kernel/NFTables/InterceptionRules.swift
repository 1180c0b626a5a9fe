package import VersionKitModel

/// The nftables tables that hand what environments send to registered ports to the relays, as text for `nft -f`: one for
/// each kind of IP. Pure.
///
/// What is in them, and why in this order: docs/interception.md.
package struct InterceptionRules: Sendable, Hashable {
    /// The tables' name; nobody else's table is ever named in what is generated here.
    package static let table = "versionkit"
    /// The mark of packets for the relays, and the number of the routing table that delivers them.
    package static let mark = 0x564B
    /// The mark of packets for the direct ports of versions in the node's own network, by its fast path.
    package static let untrackedMark = 0x564C

    /// The port of the relay's transparent TCP sockets.
    package var transparentPort: UInt16
    /// The first addresses of the networks of environments, a /16 and a /64; for a kind that is missing there is no table.
    package var environmentNetworks: HostAddresses
    /// Where direct ports are taken from, if there are any.
    package var directPorts: ClosedRange<UInt16>?

    /// The rules for a relay.
    package init(
        transparentPort: UInt16, environmentNetworks: HostAddresses, directPorts: ClosedRange<UInt16>? = nil
    ) {
        self.transparentPort = transparentPort
        self.environmentNetworks = environmentNetworks
        self.directPorts = directPorts
    }

    /// The kinds of IP there are rules for.
    var families: [IPAddress.Family] { environmentNetworks.families }

    /// Makes a table, with no port registered; one that a killed process left is replaced.
    func text(_ family: IPAddress.Family) -> String {
        let network = environmentNetworks[family] ?? family.any
        return """
            table \(family.word) \(Self.table)
            delete table \(family.word) \(Self.table)
            table \(family.word) \(Self.table) {
              set tcp_ports { type inet_service; }
              set udp_ports { type inet_service; }
              counter unclaimed {
              }
              chain hand_over {
                socket transparent 1 meta mark set \(Self.mark) accept
                tcp dport @tcp_ports tproxy to :\(transparentPort) meta mark set \(Self.mark) accept
                udp dport @udp_ports counter name unclaimed drop
              }
            \(family == .v4 ? Self.hostVersions + untracked : "")\
              chain intercept {
                type filter hook prerouting priority dstnat + 5; policy accept;
            \(family == .v4 ? Self.fromHostVersions : "")\
                iifname != "vk*" accept
                ct status dnat accept
            \(family == .v4 ? "" : Self.linkLocal)\
                jump hand_over
              }
              chain leave {
                type nat hook postrouting priority srcnat; policy accept;
                \(family.word) saddr \(network)/\(family.environmentPrefix) oifname != "vk*" masquerade
              }
            }

            """
    }

    /// Versions in the node's own network are at addresses of the loopback; what they send from there does not leave it.
    package static let hostVersions4 = "127.77.0.0/16"

    private static let fromHostVersions = """
            iifname "lo" ip saddr \(hostVersions4) ip daddr != 127.0.0.0/8 jump from_host_versions

        """
    /// What is for nobody would else be taken for the node's own.
    private static let hostVersions = """
          chain from_host_versions {
            jump hand_over
            meta l4proto tcp reject with tcp reset
            drop
          }

        """

    /// Connections to direct ports of versions in the node's own network. What comes to others' is tracked, or left to
    /// programs that see it earlier; and none of theirs ever leaves a socket of the node.
    private var untracked: String {
        guard let directPorts else { return "" }
        return """
              chain untracked_in {
                type filter hook prerouting priority raw; policy accept;
                meta mark \(Self.untrackedMark) notrack
              }
              chain untracked_out {
                type filter hook output priority raw; policy accept;
                tcp sport \(directPorts.lowerBound)-\(directPorts.upperBound) notrack
              }

            """
    }

    /// What stays on the link is between the environment and the node: neighbours, and services of the node by them.
    private static let linkLocal = """
            ip6 saddr fe80::/10 accept
            ip6 daddr fe80::/10 accept

        """

    /// Intercepts these ports and no others, in one transaction.
    static func change(to ports: Set<TransportPort>, _ family: IPAddress.Family) -> String {
        TransportProtocol.allCases.map { transport in
            let set = "\(family.word) \(table) \(transport)_ports"
            let numbers = ports.filter { $0.transport == transport }.sorted().map { "\($0.number)" }
            let elements = numbers.isEmpty ? "" : "add element \(set) { \(numbers.joined(separator: ", ")) }\n"
            return "flush set \(set)\n" + elements
        }.joined()
    }
}
