import CLinux
import Glibc
import Testing
import VersionKitModel
import VersionKitTestbed

@testable import VersionKitKernel

@Suite("What is done to a node, and undone")
struct InterceptionTests {
    @Test(
        "a connection to a registered port ends at the relay, with its destination",
        arguments: IPAddress.Family.allCases)
    func tcp(_ family: IPAddress.Family) async throws {
        let hosts = try NFTablesHosts(family)
        let version = NFTablesHosts.version(family)
        _ = try await hosts.a.intercept([7000])
        let relay = try NFTablesSocket(hosts.a.host.namespace, SOCK_STREAM, family).bind(15_001, transparent: true)
            .listen()
        let client = try NFTablesSocket(hosts.a.environment, SOCK_STREAM, family).connect(hosts.b.address, 7000)
        let inside = try relay.accept()
        #expect(try inside.remote.address == version)
        #expect(try inside.local == Endpoint(address: hosts.b.address, port: 7000))
        try inside.send("from the relay")
        #expect(try client.receive() == "from the relay")
    }

    @Test(
        "a datagram to a registered port comes out of the relay's socket for it, and of a session's socket before that",
        arguments: IPAddress.Family.allCases)
    func udp(_ family: IPAddress.Family) async throws {
        let hosts = try NFTablesHosts(family)
        let version = NFTablesHosts.version(family)
        _ = try await hosts.a.intercept([.udp(7000)])
        let relay = try NFTablesSocket(hosts.a.host.namespace, SOCK_DGRAM, family).bind(7000, transparent: true)
        let there = Endpoint(address: hosts.b.address, port: 7000)
        let client = try NFTablesSocket(hosts.a.environment, SOCK_DGRAM, family).bind(7000)
        try client.send("first", to: there)
        #expect(try relay.receiveFrom().source == Endpoint(address: version, port: 7000))
        let session = try NFTablesSocket(hosts.a.host.namespace, SOCK_DGRAM, family).bind(there, transparent: true)
            .connect(version, 7000)
        try client.send("second", to: there)
        #expect(try session.receive() == "second")
        try session.send("answer")
        #expect(try client.receiveFrom().source == there)
    }

    @Test(
        "a datagram to a registered port that no relay holds is dropped and counted",
        arguments: IPAddress.Family.allCases)
    func unclaimed(_ family: IPAddress.Family) async throws {
        let hosts = try NFTablesHosts(family)
        _ = try await hosts.a.intercept([.udp(7000)])
        let peer = try NFTablesSocket(hosts.b.host.namespace, SOCK_DGRAM, family).bind(7000)
        let other = try NFTablesSocket(hosts.b.host.namespace, SOCK_DGRAM, family).bind(7001)
        let client = try NFTablesSocket(hosts.a.environment, SOCK_DGRAM, family)
        try client.send("dropped", to: Endpoint(address: hosts.b.address, port: 7000))
        try client.send("passes", to: Endpoint(address: hosts.b.address, port: 7001))
        // What was sent first would have come first.
        #expect(try other.receive() == "passes")
        var buffer: UInt8 = 0
        #expect(recv(peer.number, &buffer, 1, Int32(MSG_DONTWAIT)) < 0)
        let counter = try hosts.a.network.run(
            "nft", ["list", "counter", family.word, InterceptionRules.table, "unclaimed"])
        #expect(counter.contains("packets 1 "))
    }

    @Test("a port that is registered no more is intercepted no more", arguments: IPAddress.Family.allCases)
    func deregistered(_ family: IPAddress.Family) async throws {
        let hosts = try NFTablesHosts(family)
        let interception = try await hosts.a.intercept([7000])
        try await interception.apply(ports: [])
        let listener = try NFTablesSocket(hosts.b.host.namespace, SOCK_STREAM, family).bind(7000).listen()
        let client = try NFTablesSocket(hosts.a.environment, SOCK_STREAM, family).connect(hosts.b.address, 7000)
        #expect(try listener.accept().remote.address == hosts.a.address)
        withExtendedLifetime(client) {}
    }

    @Test(
        "traffic to services that are not managed leaves with the node's address, and no packet of it enters the node",
        arguments: IPAddress.Family.allCases)
    func unmanaged(_ family: IPAddress.Family) async throws {
        let hosts = try NFTablesHosts(family)
        let (_, path) = (try await hosts.a.intercept([7000, .udp(7000)]), try hosts.a.path())
        // Everything that an environment sends either goes through the node, or into it.
        try hosts.a.network.run(
            "nft", ["-f", "-"],
            input: """
                table inet counting {
                  chain through { type filter hook forward priority 300; policy accept;
                    \(family.word) daddr \(hosts.webAddress) counter
                  }
                  chain into { type filter hook input priority 300; policy accept;
                    iifname "vk*" meta l4proto != icmpv6 counter
                  }
                  chain marked { type filter hook prerouting priority 300; policy accept;
                    iifname "vk*" meta mark != 0 counter
                  }
                }

                """)
        let address = hosts.webAddress
        let listener = try NFTablesSocket(hosts.web.namespace, SOCK_STREAM, family).bind(9999).listen()
        let client = try NFTablesSocket(hosts.a.environment, SOCK_STREAM, family).connect(address, 9999)
        let server = try listener.accept()
        #expect(try server.remote.address == hosts.a.address)
        try client.send("tcp")
        #expect(try server.receive() == "tcp")
        let datagrams = try NFTablesSocket(hosts.web.namespace, SOCK_DGRAM, family).bind(9999)
        // Also from a registered port.
        let sender = try NFTablesSocket(hosts.a.environment, SOCK_DGRAM, family).bind(7000)
        for number in 0..<10 {
            try sender.send("\(number)", to: Endpoint(address: address, port: 9999))
            let (text, source) = try datagrams.receiveFrom()
            #expect(text == "\(number)")
            #expect(source.address == hosts.a.address)
            try datagrams.send("\(number)", to: source)
            #expect(try sender.receiveFrom().source == Endpoint(address: address, port: 9999))
        }
        let counters = try hosts.a.network.run("nft", ["list", "table", "inet", "counting"])
        let packets = counters.split(separator: "\n").filter { $0.contains("counter packets") }.compactMap { line in
            line.split(separator: " ").drop { $0 != "packets" }.dropFirst().first.flatMap { Int($0) }
        }
        try #require(packets.count == 3)
        // Three packets at least of the connection, and the datagrams.
        #expect(packets[0] >= 13)
        #expect(packets[1] == 0)
        #expect(packets[2] == 0)
        #expect(try path.traffic().isEmpty)
    }

    @Test("everything is undone at the end, and other tables never change")
    func undone() async throws {
        let hosts = try NFTablesHosts()
        let host = hosts.a
        try host.network.run(
            "nft", ["-f", "-"],
            input: """
                table inet firewall {
                  set allowed { type inet_service; elements = { 22, 443 }; }
                  chain input { type filter hook input priority filter; policy accept;
                    tcp dport @allowed accept
                  }
                }
                table ip vk { chain post { type nat hook postrouting priority srcnat; policy accept;
                    ip saddr 10.1.0.0/16 masquerade
                  }
                }

                """)
        // One interface listens to routers, another does not.
        try host.network.run("sysctl", ["-w", "net/ipv6/conf/eth0/accept_ra=1", "net/ipv6/conf/lo/accept_ra=0"])
        let before = try host.state()
        let interception = try await host.intercept([7000, .udp(7000)])
        let path = try host.path()
        for (version, peer) in zip(IPAddress.Family.allCases.map(NFTablesHosts.version), hosts.b.addresses.all) {
            try path.open(DirectPort(10_001, for: 7000, of: version), interface: "vk0")
            try path.learn(DirectRoute(from: version, to: peer, port: 7000), to: 10_002)
        }
        #expect(try host.state()[0].hasPrefix(before[0]))
        #expect(try host.sysctl("ipv4/udp_early_demux") == "0")
        #expect(try host.sysctl("ipv6/conf/all/forwarding") == "1")
        #expect(try host.sysctl("ipv6/conf/eth0/accept_ra") == "2")
        #expect(try host.sysctl("ipv6/conf/lo/accept_ra") == "0")
        path.remove()
        await interception.remove()
        for (now, then) in zip(try host.state(), before) { #expect(now == then) }
        #expect(access(host.stateFile, F_OK) != 0)
    }

    @Test("what a killed process left is replaced by the next start, which puts back the node's own values")
    func killed() async throws {
        let hosts = try NFTablesHosts()
        let host = hosts.a
        let before = try host.sysctl("ipv4/udp_early_demux")
        #expect(before == "1")
        // A killed process removes nothing.
        _ = (try await host.intercept([7000]), try host.path())
        #expect(try host.sysctl("ipv4/udp_early_demux") == "0")
        let again = try await host.intercept([7001])
        let rules = try host.ruleset()
        #expect(!rules.contains("7000"))
        #expect(!rules.contains(NFTablesRuleset.table))
        #expect(try host.network.run("ip", ["rule"]).split(separator: "\n").count == 5)
        #expect(try host.network.run("ip", ["-6", "rule"]).split(separator: "\n").count == 3)
        await again.remove()
        #expect(try host.sysctl("ipv4/udp_early_demux") == before)
        #expect(try host.ruleset() == "")
    }

    @Test("cleaning up undoes what a killed process left")
    func cleanUp() async throws {
        let hosts = try NFTablesHosts()
        let host = hosts.a
        _ = (try await host.intercept([7000]), try host.path())
        try await Interception.cleanUp(stateFile: host.stateFile, network: host.network)
        #expect(try host.ruleset() == "")
        #expect(try host.network.run("ip", ["rule"]).split(separator: "\n").count == 3)
        #expect(try host.network.run("ip", ["-6", "rule"]).split(separator: "\n").count == 2)
        #expect(try host.sysctl("ipv4/tcp_early_demux") == "1")
        // There is nothing left, which is no error.
        try await Interception.cleanUp(stateFile: host.stateFile, network: host.network)
    }

    @Test("the routes that a node has from routers' advertisements stay when it begins to forward")
    func advertised() async throws {
        let hosts = try NFTablesHosts(.v6)
        let host = hosts.a
        try host.network.run("sysctl", ["-w", "net/ipv6/conf/eth0/accept_ra=1"])
        let router = try NFTablesSocket(hosts.web.namespace, SOCK_RAW, .v6, protocol: Int32(IPPROTO_ICMPV6)).on("eth0")
        router.set(Int32(IPPROTO_IPV6), IPV6_MULTICAST_HOPS, 255)
        let isKnown = { try host.network.run("ip", ["-6", "route", "show", "default"]).contains("proto ra") }
        var tries = 0
        while try !isKnown(), tries < 200 {
            // Type 134: for 1800 seconds it is the way to everywhere.
            let advertisement: [UInt8] = [134, 0, 0, 0, 64, 0, 7, 8] + [UInt8](repeating: 0, count: 8)
            try router.send(advertisement, to: Endpoint(address: IPAddress("ff02::1")!, port: 0))
            tries += 1
        }
        try #require(try isKnown())
        let interception = try await host.intercept()
        #expect(try isKnown())
        await interception.remove()
        #expect(try isKnown())
    }

    @Test("a node without an address of IPv6 makes nothing for IPv6")
    func only4() async throws {
        let hosts = try NFTablesHosts()
        let host = hosts.a
        let before = try host.network.run("sysctl", ["-a", "-r", "^net.ipv6"])
        let interception = try await Interception(
            InterceptionRules(transparentPort: 15_001, environmentNetworks: HostAddresses(NFTablesHosts.environments)),
            stateFile: host.stateFile, network: host.network)
        try await interception.apply(ports: [7000])
        let path = try NFTablesPath(
            addresses: HostAddresses(host.addresses[.v4]!), environmentNetworks: NFTablesHosts.networks,
            network: host.network)
        #expect(try host.ruleset().contains("ip6") == false)
        #expect(try host.network.run("ip", ["-6", "rule"]).split(separator: "\n").count == 2)
        #expect(try host.network.run("sysctl", ["-a", "-r", "^net.ipv6"]) == before)
        #expect(throws: KernelPathError.self) {
            try path.open(DirectPort(10_001, for: 7000, of: NFTablesHosts.version(.v6)), interface: "vk0")
        }
    }

    @Test(
        "what is sent to a neighbour by its address of the link is left alone",
        arguments: [TransportPort(7000), .udp(7000)])
    func linkLocal(port: TransportPort) async throws {
        let hosts = try NFTablesHosts(.v6)
        let host = hosts.a
        let interception = try await host.intercept([port])
        let there = Endpoint(address: IPAddress("fe80::1")!, port: 7000)
        let kind = port.transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
        let server = try NFTablesSocket(host.host.namespace, kind, .v6).bind(7000)
        let client = try NFTablesSocket(host.environment, kind, .v6).on("eth0")
        if port.transport == .tcp {
            let listener = try server.listen()
            _ = try client.connect(there.address, there.port)
            #expect(try listener.accept().local == there)
        } else {
            try client.send("to a neighbour", to: there)
            #expect(try server.receive() == "to a neighbour")
        }
        withExtendedLifetime(interception) {}
    }

    @Test("direct ports that the kernel gives to clients are refused, and nothing is changed")
    func overlapping() async throws {
        let hosts = try NFTablesHosts()
        let host = hosts.a
        await #expect(throws: KernelPathError.self) {
            try await Interception(
                NFTablesHost.rules, stateFile: host.stateFile, directPorts: 32_000...33_000, network: host.network)
        }
        #expect(try host.ruleset() == "")
        #expect(access(host.stateFile, F_OK) != 0)
    }

    @Test(
        "a range of direct ports is good if no socket is given one of them by itself",
        arguments: [
            (10_000...14_999, 32_768...60_999, true), (10_000...14_999, 14_999...60_999, false),
            (40_000...40_010, 1024...2000, false), (1000...2000, 32_768...60_999, false),
            (61_000...65_535, 32_768...60_999, true),
        ] as [(ClosedRange<UInt16>, ClosedRange<UInt16>, Bool)])
    func ranges(ports: ClosedRange<UInt16>, ephemeral: ClosedRange<UInt16>, isGood: Bool) {
        #expect((DirectPortRange.problem(with: ports, ephemeral: ephemeral) == nil) == isGood)
    }

    @Test("a record of sysctls is of its place, and whole, or none")
    func record() {
        var record = SysctlRecord(place: "boot net:[1]")
        record.values = ["ipv4/ip_forward": "0", "ipv4/conf/all/rp_filter": "2"]
        #expect(SysctlRecord(record.text, place: "boot net:[1]") == record)
        #expect(SysctlRecord(record.text, place: "boot net:[2]") == nil)
        #expect(SysctlRecord(String(record.text.dropLast(5)), place: "boot net:[1]") == nil)
        #expect(SysctlRecord("", place: "") == nil)
    }
}
