package import VersionKitModel

/// The nftables table of the fast path for one kind of IP, as text for `nft -f`. Pure.
///
/// What is in it, and why in this order: docs/interception.md.
package struct NFTablesRuleset: Sendable, Hashable {
    /// The table's name; nobody else's table is ever named in what is generated here.
    package static let table = "versionkit_direct"
    /// The most routes, names of peers and flows; what is beyond takes the slow path.
    package static let routesMax = 65_536
    /// The most direct ports.
    package static let portsMax = 4096

    /// The host's own address, which peers send to; the table is for its kind of IP.
    package var address: IPAddress
    /// The first address of environments, of the same kind: those of a /16 or a /64.
    package var environmentNetwork: IPAddress

    /// The table of a host.
    package init(address: IPAddress, environmentNetwork: IPAddress) {
        self.address = address
        self.environmentNetwork = environmentNetwork
    }

    /// The kind of IP that it is for.
    var family: IPAddress.Family { address.family }

    private var ip: String { family.word }

    /// Makes the table, empty; one that a killed process left is replaced.
    package var text: String {
        """
        table \(ip) \(Self.table)
        delete table \(ip) \(Self.table)
        table \(ip) \(Self.table) {
        \(collections)
        \(tracking)
        \(translation)
        \(counting)
        }

        """
    }

    /// Removes the table.
    static func removal(_ family: IPAddress.Family) -> String { "delete table \(family.word) \(table)\n" }

    private var collections: String {
        let (ipAddress, routesMax, portsMax) = (family.addressType, Self.routesMax, Self.portsMax)
        return """
              map fast { type \(ipAddress) . \(ipAddress) . inet_proto . inet_service : \(ipAddress) . inet_service; flags timeout; size \(routesMax); }
              set keys { type \(ipAddress) . \(ipAddress) . inet_proto . inet_service; flags timeout; size \(routesMax); }
              map names { type \(ipAddress) . \(ipAddress) . inet_proto . inet_service : \(ipAddress) . inet_service; flags timeout; size \(routesMax); }
              map inward { type inet_proto . inet_service : \(ipAddress) . inet_service; size \(portsMax); }
              map outward { type \(ipAddress) . inet_proto . inet_service : \(ipAddress) . inet_service; size \(portsMax); }
              set answers { type \(ipAddress) . \(ipAddress) . inet_service . inet_service; flags dynamic,timeout; size \(routesMax); timeout 2s; }
              set sent { type \(ipAddress) . \(ipAddress) . inet_proto . inet_service; flags dynamic,timeout; size \(routesMax); timeout 1h; counter; }
              set received { type \(ipAddress) . \(ipAddress) . inet_proto . inet_service; flags dynamic,timeout; size \(routesMax); timeout 1h; counter; }
              set begun { type \(ipAddress) . \(ipAddress) . inet_proto . inet_service; flags dynamic,timeout; size \(routesMax); timeout 1h; counter; }
              ct timeout relayed {
                protocol tcp;
                l3proto \(ip);
                policy = { time_wait : 1, close : 1 }
              }
            """
    }

    /// Which datagrams connection tracking sees: those of the slow path never, or it would go on as it began.
    private var tracking: String {
        """
          chain track {
            type filter hook prerouting priority raw; policy accept;
            iifname != "vk*" accept
            meta l4proto != udp accept
            \(ip) saddr . \(ip) daddr . meta l4proto . th dport @keys accept
            \(ip) saddr . \(ip) daddr . udp sport . udp dport @answers accept
            socket transparent 1 notrack
          }
          chain track_out {
            type filter hook output priority raw; policy accept;
            oifname "vk*" meta l4proto udp notrack
          }
          chain relay_out {
            type filter hook output priority mangle; policy accept;
            oifname "vk*" meta l4proto tcp socket transparent 1 ct timeout set "relayed"
          }
          chain answered {
            type filter hook postrouting priority srcnat + 10; policy accept;
            oifname "vk*" meta l4proto udp ct direction original ct status & (dnat | snat) == dnat update @answers { \(ip) daddr . \(ip) saddr . udp dport . udp sport }
          }
        """
    }

    private var translation: String {
        let begins = "tcp flags & (fin | syn | rst | ack) == syn"
        let key = "\(ip) saddr . \(ip) daddr . meta l4proto . th dport"
        return """
              chain enter {
                type nat hook prerouting priority dstnat - 5; policy accept;
                iifname "vk*" \(begins) dnat \(ip) to \(key) map @fast
                iifname "vk*" meta l4proto udp dnat \(ip) to \(key) map @fast
                iifname != "vk*" \(ip) daddr \(address) \(begins) dnat \(ip) to meta l4proto . th dport map @inward
                iifname != "vk*" \(ip) daddr \(address) meta l4proto udp dnat \(ip) to meta l4proto . th dport map @inward
              }
              chain leave {
                type nat hook postrouting priority srcnat - 5; policy accept;
                ct status & dnat == 0 accept
                oifname "vk*" meta l4proto tcp update @begun { \(ip) daddr . \(ip) saddr . meta l4proto . th dport }
                oifname "vk*" meta l4proto { tcp, udp } snat \(ip) to \(ip) daddr . \(ip) saddr . meta l4proto . th sport map @names
                oifname "vk*" accept
                \(ip) saddr != \(environmentNetwork)/\(family.environmentPrefix) accept
                meta l4proto tcp update @begun { ct original \(ip) saddr . ct original \(ip) daddr . meta l4proto . ct original proto-dst }
                meta l4proto { tcp, udp } snat \(ip) to \(ip) saddr . meta l4proto . th sport map @outward
                snat to \(address)
              }
            """
    }

    /// Packets by environment, peer and registered port, whoever began: both are in the tuples of the connection.
    private var counting: String {
        let begunHere = "ct original \(ip) saddr . ct original \(ip) daddr . meta l4proto . ct original proto-dst"
        let begunThere = "ct reply \(ip) saddr . ct original \(ip) saddr . meta l4proto . ct reply proto-src"
        var rules: [String] = []
        for transport in TransportProtocol.allCases {
            rules += [
                "iifname \"vk*\" meta l4proto \(transport) ct direction original update @sent { \(begunHere) }",
                "iifname \"vk*\" meta l4proto \(transport) ct direction reply update @sent { \(begunThere) }",
                "oifname \"vk*\" meta l4proto \(transport) ct direction original update @received { \(begunThere) }",
                "oifname \"vk*\" meta l4proto \(transport) ct direction reply update @received { \(begunHere) }",
            ]
        }
        return """
              chain count {
                type filter hook forward priority filter; policy accept;
                ct status & dnat == 0 accept
            \(rules.map { "    \($0)" }.joined(separator: "\n"))
              }
            """
    }
}
