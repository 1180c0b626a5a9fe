import Testing
import VersionKitModel
import VersionKitTestbed

@testable import VersionKitKernel

@Suite("Rules as text")
struct NFTablesRulesetTests {
    private func direct(_ hosts: NFTablesHosts, _ family: IPAddress.Family) -> NFTablesRuleset {
        let network = family == .v4 ? NFTablesHosts.environments : NFTablesHosts.environments6
        return NFTablesRuleset(address: hosts.a.addresses[family]!, environmentNetwork: network)
    }

    @Test("nft accepts the rules, with each kind of element in them", arguments: IPAddress.Family.allCases)
    func accepted(_ family: IPAddress.Family) throws {
        let hosts = try NFTablesHosts(family)
        let version = NFTablesHosts.version(family)
        var model = NFTablesModel(address: hosts.a.address, lifetime: .seconds(60))
        var text = NFTablesHost.rules.text(family) + InterceptionRules.change(to: [7000, 7001, .udp(7000)], family)
        text += direct(hosts, family).text
        for port in [TransportPort.tcp(7000), .udp(7000)] {
            text += try model.open(DirectPort(10_001, for: port, of: version)).script
            let route = DirectRoute(from: version, to: hosts.b.address, port: port)
            for direct in [UInt16(10_002), 10_003] {
                let change = try model.learn(route, to: direct, now: .now)
                text += change.preparation + change.script
            }
            text += direct(hosts, family).text + model.refill(now: .now)
            text += model.forget(route).script
            text += model.close(DirectPort(10_001, for: port, of: version)).script
        }
        try hosts.a.network.run("nft", ["-c", "-f", "-"], input: text)
        #expect(try hosts.a.ruleset() == "")
    }

    @Test("every statement names one of our two tables", arguments: IPAddress.Family.allCases)
    func ownTables(_ family: IPAddress.Family) throws {
        let (ip, change) = (family.word, InterceptionRules.change(to: [7000, .udp(7000)], family))
        for text in [NFTablesHost.rules.text(family), direct(try NFTablesHosts(), family).text, change] {
            for line in text.split(separator: "\n") where !line.hasPrefix(" ") && line != "}" {
                let words = line.split(separator: " ")
                #expect(
                    words.contains(Substring(ip)) && words.contains { $0 == "versionkit" || $0 == "versionkit_direct" })
            }
        }
    }

    @Test("ports are replaced in one transaction")
    func ports() {
        #expect(
            InterceptionRules.change(to: [7001, 7000, .udp(53)], .v4) == """
                flush set ip versionkit tcp_ports
                add element ip versionkit tcp_ports { 7000, 7001 }
                flush set ip versionkit udp_ports
                add element ip versionkit udp_ports { 53 }

                """)
        #expect(
            InterceptionRules.change(to: [], .v6) == """
                flush set ip6 versionkit tcp_ports
                flush set ip6 versionkit udp_ports

                """)
    }

    @Test(
        "a message of the connection tracking about a flow says what it was asked with",
        arguments: IPAddress.Family.allCases)
    func tuples(_ family: IPAddress.Family) throws {
        let version = Endpoint(address: NFTablesHosts.version(family), port: 7000)
        let peer = Endpoint(address: IPAddress(family == .v4 ? "10.99.0.2" : "2001:db8:99::2")!, port: 10_002)
        let original = TrackedFlow.tuple(.udp, version, peer)
        var reply = TrackedFlow.tuple(.udp, peer, version)
        // The second attribute of a message is the reply's.
        reply[2] = 2
        let flow = TrackedFlow(NetlinkMessage(type: 0x100, body: [0, 0, 0, 0] + original + reply))
        #expect(
            flow
                == TrackedFlow(
                    transport: .udp, source: version, destination: peer, answerer: peer, answered: version))
        #expect(TrackedFlow(NetlinkMessage(type: 0x100, body: [0, 0, 0, 0] + original.dropLast(20) + reply)) == nil)
    }

    @Test("counters are read from what nft prints, and what is unlike them is left out")
    func counters() {
        let traffic = NFTablesTraffic(
            """
            table ip versionkit_direct {
            \tset sent {
            \t\ttype ipv4_addr . ipv4_addr . inet_proto . inet_service
            \t\tsize 65536
            \t\telements = { 10.77.0.2 . 10.99.0.2 . 6 . 7000 counter packets 5 bytes 300 timeout 1h expires 59m59s,
            \t\t\t     10.77.0.2 . 10.99.0.2 . udp . 7000 counter packets 1 bytes 30 expires 1s }
            \t}
            }
            table ip6 versionkit_direct {
            \tset sent {
            \t\telements = { fd00:564b::2 . 2001:db8:99::2 . 17 . 7000 counter packets 9 bytes 900 expires 1s }
            \t}
            }
            table ip versionkit_direct {
            \tset begun {
            \t\telements = { 10.77.0.2 . 10.99.0.2 . 6 . 7000 counter packets 2 bytes 120 expires 9s, 1 . 2 }
            \t}
            }
            """)
        let route = DirectRoute(from: NFTablesHosts.version(.v4), to: IPAddress("10.99.0.2")!, port: 7000)
        #expect(traffic.sets["sent"]?[route] == .init(packets: 5, bytes: 300))
        #expect(traffic.sets["sent"]?.count == 3)
        let route6 = DirectRoute(
            from: NFTablesHosts.version(.v6), to: IPAddress("2001:db8:99::2")!, port: .udp(7000))
        #expect(traffic.sets["sent"]?[route6] == .init(packets: 9, bytes: 900))
        #expect(traffic.sets["begun"] == [route: .init(packets: 2, bytes: 120)])
    }

    @Test("totals go on when a counter begins again")
    func totals() {
        let route = DirectRoute(from: NFTablesHosts.version(.v4), to: IPAddress("10.99.0.2")!, port: 7000)
        var totals = NFTablesTotals()
        for packets in [5, 8, 2, nil, 4] as [UInt64?] {
            var traffic = NFTablesTraffic("")
            if let packets { traffic.sets["sent"] = [route: .init(packets: packets, bytes: packets * 10)] }
            totals.update(traffic)
        }
        #expect(totals.traffic == [KernelTraffic(route: route, packetsOut: 14, bytesOut: 140)])
        totals.forget(route.version)
        #expect(totals.traffic.isEmpty)
        // The next version with this address begins at nothing, although the kernel's counter goes on.
        var traffic = NFTablesTraffic("")
        traffic.sets["sent"] = [route: .init(packets: 7, bytes: 70)]
        totals.update(traffic)
        #expect(totals.traffic == [KernelTraffic(route: route, packetsOut: 3, bytesOut: 30)])
        totals.update(NFTablesTraffic(""))
        #expect(totals.traffic == [KernelTraffic(route: route, packetsOut: 3, bytesOut: 30)])
    }
}
