internal import VersionKitModel

/// The commands for `ip -batch` that make a plan's network, and what is left to do by ourselves. Pure.
///
/// All bridges are in one namespace, the fabric. A direct link is one veth pair. Any other is two, and
/// between their near ends frames are carried by this process:
///
///     host eth0 ==veth== c1a    (carried)    c1b ==veth== c1p in bridge s0
struct NetworkScript {
    /// Two interfaces of the fabric to carry frames between.
    struct CarriedLink: Hashable {
        var firstInterface: String
        var firstName: String
        var secondInterface: String
        var secondName: String
        var link: Link
    }

    /// Runs in the fabric, which then needs the hosts' namespaces as the descriptors `hostDescriptor`.
    private(set) var fabric = ""
    /// One for each host, in the plan's order, to run on the host.
    private(set) var hosts: [String] = []
    private(set) var carried: [CarriedLink] = []

    static func hostDescriptor(_ index: Int) -> Int32 { 100 + Int32(index) }

    /// From so many hosts on each is told the others' hardware addresses. A machine remembers 1024 that it had to ask for, in
    /// all of its namespaces together (gc_thresh3, arp(7)); what it was told does not count.
    private static let toldNeighboursMin = 16

    private static func hardwareAddress(_ host: Int) -> String {
        // Locally administered, one host each; a plan has fewer than 65536.
        let digits = [UInt8(truncatingIfNeeded: host >> 8), UInt8(truncatingIfNeeded: host)].map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return "02:00:00:00:" + digits.joined(separator: ":")
    }

    private static func neighbours(of host: Int, _ plan: TestbedPlan) -> String {
        guard plan.hosts.count >= toldNeighboursMin else { return "" }
        return plan.hosts.enumerated().filter { $0.offset != host }.flatMap { index, other in
            other.addresses.map {
                "neigh replace \($0) lladdr \(hardwareAddress(index)) dev eth0 nud permanent\n"
            }
        }.joined()
    }

    init(_ plan: TestbedPlan) {
        var bridges: [String: String] = [:]
        for (index, segment) in plan.segments.enumerated() {
            bridges[segment] = "s\(index)"
            // No spanning tree, so ports forward at once; nothing to learn about multicast.
            fabric += "link add name s\(index) type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n"
            raise("s\(index)")
        }
        for (index, link) in plan.links.enumerated() {
            guard let first = bridges[link.first], let second = bridges[link.second] else { continue }
            join(link, first, second, prefix: "l\(index)")
        }
        for (index, host) in plan.hosts.enumerated() {
            guard let bridge = bridges[host.segment] else { continue }
            attach(host, to: bridge, index)
            hosts.append(
                "link set lo up\n" + host.addresses.map { Self.addition(of: $0, plan) }.joined()
                    + "link set eth0 up\n" + Self.neighbours(of: index, plan))
        }
    }

    private static func addition(of address: String, _ plan: TestbedPlan) -> String {
        // An address whose uniqueness is being checked cannot be used meanwhile.
        let (subnet, options) =
            IPAddress(address)?.family == .v6
            ? (Subnet(plan.subnet6, of: .v6), "nodad") : (Subnet(plan.subnet, of: .v4), "broadcast +")
        return "addr add \(address)/\(subnet?.prefixLength ?? 32) dev eth0 \(options)\n"
    }

    private mutating func join(
        _ link: TestbedPlan.SegmentLink, _ first: String, _ second: String, prefix: String
    ) {
        if link.link.isDirect {
            fabric += "link add name \(prefix)p type veth peer name \(prefix)q\n"
        } else {
            fabric += "link add name \(prefix)p type veth peer name \(prefix)a\n"
            fabric += "link add name \(prefix)q type veth peer name \(prefix)b\n"
            carry(prefix, link.first, link.second, link.link)
        }
        raise("\(prefix)p", in: first)
        raise("\(prefix)q", in: second)
    }

    private mutating func attach(_ host: TestbedPlan.Host, to bridge: String, _ index: Int) {
        let prefix = "h\(index)"
        let namespace = Self.hostDescriptor(index)
        let peer = "peer name eth0 address \(Self.hardwareAddress(index)) netns /proc/self/fd/\(namespace)"
        if host.link.isDirect {
            fabric += "link add name \(prefix)p type veth \(peer)\n"
        } else {
            fabric += "link add name \(prefix)a type veth \(peer)\n"
            fabric += "link add name \(prefix)p type veth peer name \(prefix)b\n"
            carry(prefix, host.name, host.segment, host.link)
        }
        raise("\(prefix)p", in: bridge)
    }

    private mutating func carry(_ prefix: String, _ first: String, _ second: String, _ link: Link) {
        raise("\(prefix)a")
        raise("\(prefix)b")
        carried.append(
            CarriedLink(
                firstInterface: "\(prefix)a", firstName: first, secondInterface: "\(prefix)b",
                secondName: second,
                link: link))
    }

    // Without addresses of its own (addrgenmode) the fabric sends nothing by itself.
    private mutating func raise(_ interface: String, in bridge: String? = nil) {
        let master = bridge.map { " master \($0)" } ?? ""
        fabric += "link set dev \(interface)\(master) addrgenmode none up\n"
    }
}
