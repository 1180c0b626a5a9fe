/// A network to be built: segments joined by links, and hosts on them. A pure value.
///
/// A segment is a switch. All hosts are on one IPv4 subnet, one IPv6 subnet or both, whichever segment they are on.
public struct TestbedPlan: Sendable, Hashable {
    /// The most hosts a testbed has.
    public static let hostsMax = 256
    /// The most segments a testbed has.
    public static let segmentsMax = 64

    struct Host: Sendable, Hashable {
        var name: String
        var addresses: [String]
        var segment: String
        var link: Link
    }

    struct SegmentLink: Sendable, Hashable {
        var first: String
        var second: String
        var link: Link
    }

    let subnet: String
    let subnet6: String
    private(set) var segments: [String] = []
    private(set) var links: [SegmentLink] = []
    private(set) var hosts: [Host] = []

    /// An empty plan. Each host's IPv4 address has to be in `subnet`, each IPv6 address in `subnet6`.
    public init(subnet: String = "10.99.0.0/16", subnet6: String = "fd00:99::/64") {
        self.subnet = subnet
        self.subnet6 = subnet6
    }

    /// Adds a segment.
    public mutating func segment(_ name: String) {
        segments.append(name)
    }

    /// Joins two segments. Links between segments must not form a loop.
    public mutating func link(_ first: String, _ second: String, _ link: Link = .direct) {
        links.append(SegmentLink(first: first, second: second, link: link))
    }

    /// Adds a host with one interface, `eth0`, on a segment.
    ///
    /// - Parameters:
    ///   - address: of IPv4 or of IPv6.
    ///   - address6: one of IPv6 beside it.
    public mutating func host(
        _ name: String, address: String, address6: String? = nil, on segment: String, link: Link = .direct
    ) {
        host(name, addresses: [address] + [address6].compactMap(\.self), on: segment, link: link)
    }

    /// Adds a host with one interface, `eth0`, on a segment.
    ///
    /// - Parameter addresses: one of IPv4, one of IPv6, or one of each; the first one is ``TestbedHost/address``.
    public mutating func host(_ name: String, addresses: [String], on segment: String, link: Link = .direct) {
        hosts.append(Host(name: name, addresses: addresses, segment: segment, link: link))
    }

    /// Checks that the plan can be built.
    ///
    /// - Throws: `TestbedError.Code.invalidPlan`, with a message that names everything wrong with it.
    public func validate() throws(TestbedError) {
        let problems = self.problems()
        guard !problems.isEmpty else { return }
        throw TestbedError(.invalidPlan, problems.map(\.description).joined(separator: "; "))
    }
}
