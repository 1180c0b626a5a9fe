/// The hosts of a demonstration or a test, and IrisLog's hierarchy over them: three regions with two hosts each.
package struct Fleet: Sendable {
    /// One host.
    package struct Member: Sendable {
        package var name: String
        package var addresses: [String]
        package var region: String
        package var site: String

        /// The address by which it is spoken to: that of IPv6, if there is one.
        package var address: String { addresses[addresses.count - 1] }

        /// The same, as it stands before a port.
        package var host: String { address.contains(":") ? "[\(address)]" : address }

        /// The path of the member's leaf in the hierarchy.
        package var path: String {
            "/country[@id='\(Fleet.country)']/region[@id='\(region)']/site[@id='\(site)']/node[@id='\(name)']"
        }
    }

    /// Which addresses its hosts have.
    package enum Addressing: Sendable {
        case v4
        case v6
        /// One of each kind.
        case both

        /// The addresses of a host.
        package func addresses(_ network: Int, _ host: Int) -> [String] {
            (self == .v6 ? [] : ["10.99.\(network).\(host)"]) + (self == .v4 ? [] : ["fd00:99::\(network):\(host)"])
        }
    }

    package static let regionNames = ["north", "south", "west"]
    package static let country = "earth"
    package static let application = "irislog"
    package static let clientPort: UInt16 = 7000
    package static let peerPort: UInt16 = 7100

    package let members: [Member]
    package let regions: [String]

    /// So many hosts in each region; the first of all is the root of the hierarchy.
    package init(regions: [String] = Self.regionNames, hostsPerRegion: Int, addressing: Addressing = .v4) {
        self.init(regions.map { ($0, hostsPerRegion) }, addressing)
    }

    /// So many hosts, shared out among the three regions.
    package init(hosts: Int) {
        let regions = Self.regionNames.prefix(hosts)
        self.init(
            regions.enumerated().map { index, region in
                (region, hosts / regions.count + (index < hosts % regions.count ? 1 : 0))
            }, .v4)
    }

    private init(_ regions: [(name: String, hosts: Int)], _ addressing: Addressing) {
        self.regions = regions.map(\.name)
        var members: [Member] = []
        for (index, region) in regions.enumerated() {
            for host in 1...region.hosts {
                members.append(
                    Member(
                        name: "n\(members.count + 1)", addresses: addressing.addresses(index + 1, host),
                        region: region.name, site: "\(region.name)-site"))
            }
        }
        self.members = members
    }

    /// The hierarchy: a region's first host also keeps its site and the region, the first of all keeps the country.
    package var hierarchy: String {
        var xml = "<country id=\"\(Self.country)\" host=\"\(members[0].host)\">"
        for region in regions {
            let hosts = members.filter { $0.region == region }
            xml += "<region id=\"\(region)\" host=\"\(hosts[0].host)\">"
            xml += "<site id=\"\(hosts[0].site)\" host=\"\(hosts[0].host)\">"
            for host in hosts { xml += "<node id=\"\(host.name)\" host=\"\(host.host)\"/>" }
            xml += "</site></region>"
        }
        return xml + "</country>\n"
    }

    package func configuration(of member: Member) -> String {
        """
        self \(member.host)
        listen \(member.address.contains(":") ? "::" : "0.0.0.0")
        data /var/lib/irislog
        client-port \(Self.clientPort)
        peer-port \(Self.peerPort)

        """
    }

    /// The query that has one item for each node that this protocol's agents update.
    package func everywhere(sensor: String) -> String {
        "/country[@id='\(Self.country)']/region/site/node/current[@sensor='\(sensor)']"
    }
}
