import CLinux
import Glibc
import Synchronization
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitRouter
import VersionKitTestbed
import VersionKitTransport
import VersionKitWire

/// Hosts with a relay and the environments of some versions, and hosts without.
final class RelayFleet {
    static let port: UInt16 = 7100
    static let application = ApplicationID(rawValue: "irislog")!

    let testbed: Testbed
    let nodes: [RelayNode]
    private let family: IPAddress.Family

    /// Builds the network and starts the relays. Hosts are 10.99.0.1 and fd99::1, 10.99.0.2 and fd99::2 and so on, those
    /// without a relay last. `family`: which of them `address` means.
    init(
        nodes count: Int = 2, bareHosts: Int = 0, versions: [Version] = [1, 2], threads: Int = 1,
        filter: PrefixFilter? = nil, limits: Limits = .standard, family: IPAddress.Family = .v4
    ) throws {
        self.family = family
        var plan = TestbedPlan()
        plan.segment("wire")
        for number in 1...count + bareHosts {
            plan.host("h\(number)", address: "10.99.0.\(number)", on: "wire")
        }
        let testbed = try Testbed(plan)
        self.testbed = testbed
        for (index, host) in testbed.hosts.enumerated() {
            let address = "\(Self.address(of: index + 1, .v6))/64"
            let result = try host.run("ip", ["address", "add", address, "dev", "eth0", "nodad"])
            try #require(result.exit.isSuccess, "\(result.errors)")
        }
        nodes = try (1...count).map { number in
            try RelayNode(
                number, on: testbed.hosts[number - 1], versions: versions, threads: threads, filter: filter,
                limits: limits, family: family)
        }
    }

    static func address(of number: Int, _ family: IPAddress.Family) -> IPAddress {
        switch family {
        case .v4: IPAddress(v4: 10 << 24 | 99 << 16 | UInt32(number))
        case .v6: IPAddress(high: 0xFD99 << 48, low: UInt64(number))
        }
    }

    deinit { testbed.stop() }

    /// A host without a relay.
    func bareHost(_ number: Int = 0) -> TestbedHost { testbed.hosts[nodes.count + number] }

    /// Its address.
    func bareAddress(_ number: Int = 0) -> IPAddress { Self.address(of: nodes.count + number + 1, family) }
}

/// A host with a relay.
final class RelayNode: Sendable {
    let host: TestbedHost
    let address: IPAddress
    /// The network namespace of each version.
    let environments: [Version: Int32]
    let heard: Headers
    private let current: Mutex<Relay>
    /// The relay of now: ``resume(_:threads:)`` makes another.
    var relay: Relay { current.withLock { $0 } }

    /// The headers that the relay read.
    final class Headers: Sendable {
        private let list = Mutex<[VersionHeader]>([])
        var all: [VersionHeader] { list.withLock { $0 } }
        func add(_ header: VersionHeader) { list.withLock { $0.append(header) } }
    }

    private let number: Int
    private let filter: PrefixFilter?
    private let family: IPAddress.Family
    private let limits: Limits

    init(
        _ number: Int, on host: TestbedHost, versions: [Version], threads: Int, filter: PrefixFilter?, limits: Limits,
        family: IPAddress.Family
    ) throws {
        self.number = number
        self.host = host
        self.filter = filter
        self.family = family
        self.limits = limits
        address = RelayFleet.address(of: number, family)
        var environments: [Version: Int32] = [:]
        for version in versions { environments[version] = vk_new_network_namespace() }
        self.environments = environments
        let result = try host.run("sh", ["-e", "-c", Self.script(number, environments)], timeout: .seconds(30))
        try #require(result.exit.isSuccess, "\(result.errors)")
        let heard = Headers()
        self.heard = heard
        current = Mutex(try Self.relay(Self.addresses(of: number), nil, threads, limits, heard))
        route(advertised: Set(versions))
        try start()
        try waitForRouting()
    }

    private static func relay(
        _ addresses: HostAddresses, _ resuming: Relay.Handover?, _ threads: Int, _ limits: Limits, _ heard: Headers
    ) throws -> Relay {
        try Relay(
            .init(addresses: addresses, transparentPort: 15_001, threads: threads, limits: limits), resuming: resuming
        ) { event in
            if case .heard(let header, _, _) = event { heard.add(header) }
        }
    }

    private static func addresses(of number: Int) -> HostAddresses {
        HostAddresses(RelayFleet.address(of: number, .v4), RelayFleet.address(of: number, .v6))
    }

    /// Goes on with another relay; `addresses`: those of the host's that it uses, if not all.
    func resume(_ handover: Relay.Handover, threads: Int = 1, addresses: HostAddresses? = nil) throws {
        let relay = try Self.relay(addresses ?? Self.addresses(of: number), handover, threads, limits, heard)
        current.withLock { $0 = relay }
        route(advertised: Set(environments.keys))
        try start()
        try waitForRouting()
    }

    deinit {
        relay.stop()
        for environment in environments.values { close(environment) }
    }

    /// Delivers to these versions.
    func route(advertised: Set<Version>) {
        var versions: [Version: HostAddresses] = [:]
        for version in environments.keys { versions[version] = environmentAddresses(of: version) }
        relay.update(
            RoutingTable([
                RelayFleet.application: .init(
                    ports: [.tcp(RelayFleet.port)], versions: versions, advertised: advertised, filter: filter)
            ]))
    }

    /// Waits until the relay goes by the last table that it was given.
    func waitForRouting() throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while !relay.isUpToDate {
            try #require(ContinuousClock.now < deadline)
            sched_yield()
        }
    }

    func environmentAddresses(of version: Version) -> HostAddresses {
        let last = version.number * 4 + 2
        return HostAddresses(
            IPAddress(v4: 10 << 24 | 77 << 16 | UInt32(number) << 8 | last),
            IPAddress(high: 0xFD77 << 48 | UInt64(number), low: UInt64(last)))
    }

    func environmentAddress(of version: Version) -> IPAddress {
        environmentAddresses(of: version)[family] ?? family.any
    }

    /// Waits until a counter is as it should be.
    func wait(for what: String, until isReached: (RelayCounters) -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while !isReached(relay.counters) {
            try #require(ContinuousClock.now < deadline, "\(what): \(relay.counters)")
            sched_yield()
        }
    }

    /// Runs the relay in the host's network.
    private func start() throws {
        let (relay, namespace) = (relay, host.namespace)
        let outcome = Mutex<Result<Void, any Error>?>(nil)
        let done = eventfd(0, Int32(EFD_CLOEXEC))
        defer { close(done) }
        withExtendedLifetime(outcome) {
            let report = Outcome()
            SystemThread(name: "start") {
                report.set(
                    Result {
                        guard vk_setns(namespace, CLONE_NEWNET) == 0 else { throw SystemError("setns") }
                        try relay.start()
                    })
                eventfd_write(done, 1)
            }.start()
            var value: eventfd_t = 0
            eventfd_read(done, &value)
            outcome.withLock { $0 = report.get() }
        }
        try outcome.withLock { try #require($0).get() }
    }

    private final class Outcome: Sendable {
        private let result = Mutex<Result<Void, any Error>?>(nil)
        func set(_ value: Result<Void, any Error>) { result.withLock { $0 = value } }
        func get() -> Result<Void, any Error>? { result.withLock { $0 } }
    }

    /// What gives a host its environments, and its relay what they send to the registered port.
    private static func script(_ number: Int, _ environments: [Version: Int32]) -> String {
        var script = """
            cd /proc/sys/net/ipv4
            echo 1 > ip_forward; echo 0 > conf/all/rp_filter; echo 0 > tcp_early_demux; echo 1 > tcp_tw_reuse
            ip rule add fwmark 1 lookup 100
            ip route add local 0.0.0.0/0 dev lo table 100
            ip route add unreachable 10.98.0.1
            echo 1 > ../ipv6/conf/all/forwarding; echo 0 > ../ipv6/conf/default/accept_dad
            ip -6 rule add fwmark 1 lookup 100
            ip -6 route add local ::/0 dev lo table 100
            ip -6 route add unreachable fd98::1

            """
        for (version, namespace) in environments {
            let place = "/proc/\(getpid())/fd/\(namespace)"
            let network = "10.77.\(number)"
            let network6 = "fd77:0:0:\(number):"
            let (ours, theirs) = (version.number * 4 + 1, version.number * 4 + 2)
            script += """
                ip link add vk\(version) type veth peer name eth0 netns \(place)
                ip addr add \(network).\(ours)/30 dev vk\(version)
                ip addr add \(network6):\(String(ours, radix: 16))/126 dev vk\(version) nodad
                ip link set vk\(version) up
                nsenter --net=\(place) ip link set lo up
                nsenter --net=\(place) ip addr add \(network).\(theirs)/30 dev eth0
                nsenter --net=\(place) ip addr add \(network6):\(String(theirs, radix: 16))/126 dev eth0 nodad
                nsenter --net=\(place) ip link set eth0 up
                nsenter --net=\(place) ip route add default via \(network).\(ours)
                nsenter --net=\(place) ip -6 route add default via \(network6):\(String(ours, radix: 16))

                """
        }
        script += "nft -f - <<END\n"
        for table in ["ip", "ip6"] {
            script += """
                table \(table) versionkit {
                  chain intercept {
                    type filter hook prerouting priority mangle; policy accept;
                    iifname "vk*" socket transparent 1 meta mark set 1 accept
                    iifname "vk*" tcp dport \(RelayFleet.port) tproxy to :15001 meta mark set 1 accept
                  }
                }

                """
        }
        return script + "END"
    }
}
