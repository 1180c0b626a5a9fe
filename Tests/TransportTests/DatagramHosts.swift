import CLinux
import Foundation
import Glibc
import Synchronization
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets
import VersionKitRouter
import VersionKitTestbed
import VersionKitTransport
import VersionKitWire

/// A host of a testbed with a datagram relay, and environments of versions as the node would make them.
final class DatagramHost: Sendable {
    static let application = ApplicationID(rawValue: "ring")!
    static let port: UInt16 = 7000

    /// Of the kind that the test is about; the host has both.
    let address: IPAddress
    let host: TestbedHost
    /// The one that works now.
    var relay: DatagramRelay { current.withLock { $0 } }
    private let current: Mutex<DatagramRelay>
    private let configuration: DatagramRelay.Configuration
    private let told: AsyncStream<DatagramRelay.Event>.Continuation
    /// The network namespaces of versions 1 and 2.
    let environments: [Version: Int32]
    let events: AsyncStream<DatagramRelay.Event>

    static func environment(_ version: Version, of index: Int, _ family: IPAddress.Family = .v4) -> IPAddress {
        let slot = version.number * 4 + 2
        return IPAddress(family == .v4 ? "10.77.\(index).\(slot)" : "fd00:77:\(index)::\(String(slot, radix: 16))")!
    }

    private static func environments(_ version: Version, of index: Int) -> HostAddresses {
        HostAddresses(environment(version, of: index, .v4), environment(version, of: index, .v6))
    }

    /// The table with both versions, as it is at first.
    static func table(of index: Int, advertised: Set<Version> = [1, 2]) -> RoutingTable.Application {
        RoutingTable.Application(
            ports: [.udp(port)],
            versions: [1: environments(1, of: index), 2: environments(2, of: index)],
            advertised: advertised)
    }

    init(_ host: TestbedHost, index: Int, _ family: IPAddress.Family, limits: Limits = .standard) async throws {
        self.host = host
        let addresses = try HostAddresses(
            #require(IPAddress(host.address)), #require(IPAddress("fd00:99::\(index + 1)")))
        address = try #require(addresses[family])
        try await Self.run(
            "sh",
            [
                "-c",
                """
                cd /proc/sys/net
                echo 1 >ipv4/ip_forward; echo 0 >ipv4/udp_early_demux; echo 0 >ipv4/conf/all/rp_filter
                echo 1 >ipv6/conf/all/forwarding
                """,
            ], in: host.namespace)
        // With a rule for TPROXY the kernel puts fragments together before it looks for sockets, as on a node.
        for (family, table, all) in [("-4", "ip", "0.0.0.0/0"), ("-6", "ip6", "::/0")] {
            try await Self.run(
                "ip", [family, "-batch", "-"],
                """
                rule add fwmark 1 lookup 100
                route add local \(all) dev lo table 100

                """, in: host.namespace)
            try await Self.run(
                "nft", ["-f", "-"],
                """
                table \(table) test {
                  chain intercept {
                    type filter hook prerouting priority mangle; policy accept;
                    iifname "vk*" socket transparent 1 meta mark set 1 accept
                    iifname "vk*" tcp dport 7000 tproxy to :1 meta mark set 1 accept
                  }
                }
                """, in: host.namespace)
        }
        var environments: [Version: Int32] = [:]
        for version: Version in [1, 2] {
            environments[version] = try await Self.environment(version, index: index, of: host)
        }
        self.environments = environments
        let (events, told) = AsyncStream.makeStream(of: DatagramRelay.Event.self)
        (self.events, self.told) = (events, told)
        configuration = .init(addresses: addresses, networkNamespace: host.namespace, limits: limits)
        current = try Mutex(DatagramRelay(configuration) { told.yield($0) })
        relay.start()
    }

    deinit {
        relay.stop()
        for namespace in environments.values { close(namespace) }
    }

    private static func environment(_ version: Version, index: Int, of host: TestbedHost) async throws -> Int32 {
        let namespace = vk_new_network_namespace()
        try #require(namespace >= 0)
        let inside = environments(version, of: index)
        let (v4, v6) = try (#require(inside[.v4]), #require(inside[.v6]))
        let (gateway, gateway6) = (IPAddress(high: v4.high, low: v4.low - 1), IPAddress(high: v6.high, low: v6.low - 1))
        let bytesMax = 1500 - Limits.standard.datagramHeaderBytesMax
        try await run(
            "ip", ["-batch", "-"],
            """
            link add vk\(version) type veth peer name eth0 netns /proc/\(getpid())/fd/\(namespace)
            address add \(gateway)/30 dev vk\(version)
            address add \(gateway6)/126 dev vk\(version) nodad
            link set vk\(version) up

            """, in: host.namespace)
        try await run(
            "ip", ["-batch", "-"],
            """
            link set lo up
            address add \(v4)/30 dev eth0
            address add \(v6)/126 dev eth0 nodad
            link set eth0 up
            route add default via \(gateway) mtu \(bytesMax)

            """, in: namespace)
        try await run("ip", ["route", "add", "default", "via", "\(gateway6)", "mtu", "\(bytesMax)"], in: namespace)
        return namespace
    }

    static func run(_ program: String, _ arguments: [String], _ input: String = "", in namespace: Int32) async throws {
        let result = try await Command.run(program, arguments, input: input, networkNamespace: namespace)
        try #require(result.exit.isSuccess, "\(program) \(arguments): \(result.output)")
    }

    /// Routes by this from now on; returns when it is in force.
    func route(_ application: RoutingTable.Application) async throws {
        await withCheckedContinuation { continuation in
            // Not an event: another table's, or one that was read twice, would do as well.
            relay.update(RoutingTable([Self.application: application])) { continuation.resume() }
        }
    }

    /// Another relay goes on, with what passes through a file when a program executes another.
    func restart(_ application: RoutingTable.Application) throws {
        try resume(relay.handOver(), application)
    }

    func resume(_ handover: DatagramRelay.Handover, _ application: RoutingTable.Application) throws {
        let next = try resuming(handover)
        current.withLock { $0 = next }
        next.update(RoutingTable([Self.application: application]))
        next.start()
    }

    func resuming(_ handover: DatagramRelay.Handover) throws -> DatagramRelay {
        let state = try JSONEncoder().encode(handover)
        let decoded = try JSONDecoder().decode(DatagramRelay.Handover.self, from: state)
        return try DatagramRelay(configuration, resuming: decoded) { [told] in told.yield($0) }
    }

    /// The next event of a kind; others before it are skipped.
    func next(_ matches: (DatagramRelay.Event) -> Bool) async -> DatagramRelay.Event? {
        for await event in events where matches(event) { return event }
        return nil
    }

    /// The next header that the relay reports.
    func nextHeard() async -> (header: VersionHeader, from: IPAddress, port: UInt16, version: Version)? {
        for await event in events {
            if case .heard(let header, let from, let port, let version, _) = event {
                return (header, from, port, version)
            }
        }
        return nil
    }

    /// The next header that the relay reports whose sender has heard, or has not heard, of the direct port here.
    func nextHeard(isMutual: Bool) async -> VersionHeader? {
        for await event in events {
            if case .heard(let header, _, _, _, isMutual) = event { return header }
        }
        return nil
    }

    /// Waits until the counters are as they should be: each time that the relay has had something to do.
    func counters(
        _ application: RoutingTable.Application, until holds: (DatagramCounters) -> Bool
    ) async throws -> DatagramCounters {
        let deadline = ContinuousClock.now + .seconds(20)
        while !holds(relay.counters), ContinuousClock.now < deadline { try await route(application) }
        return relay.counters
    }

    func address(_ family: IPAddress.Family) throws -> IPAddress { try #require(configuration.addresses[family]) }

    /// A socket of a version, as its application would make it.
    func socket(
        of version: Version, _ family: IPAddress.Family? = nil, port: UInt16 = DatagramHost.port
    ) throws -> DatagramEnd {
        try DatagramEnd(in: #require(environments[version]), family ?? address.family, port: port)
    }
}

/// A UDP socket of a test; nothing waits for longer than ten seconds.
final class DatagramEnd: Sendable {
    private let descriptor: Int32
    private let family: IPAddress.Family

    struct Failure: Error { let code: Int32 }

    init(in namespace: Int32, _ family: IPAddress.Family = .v4, port: UInt16) throws {
        self.family = family
        descriptor = vk_socket_in(namespace, family.system, Int32(SOCK_DGRAM.rawValue), 0)
        try #require(descriptor >= 0)
        try #require(bindSocket(descriptor, to: Endpoint(address: family.any, port: port)))
    }

    deinit { close(descriptor) }

    private var level: Int32 { Int32(family == .v4 ? IPPROTO_IP : IPPROTO_IPV6) }

    var port: UInt16 {
        localEndpoint(of: descriptor)?.port ?? 0
    }

    /// From now on it sends to this one only, and is told of errors.
    func connect(_ address: IPAddress, _ port: UInt16 = DatagramHost.port) throws {
        try #require(connectSocket(descriptor, to: Endpoint(address: address, port: port)))
    }

    /// From now on errors of the way are told, which may be temporary, as well as the other end's.
    func tellErrors() throws {
        try #require(
            vk_set_socket_option(
                descriptor, level,
                family == .v4 ? IP_RECVERR : IPV6_RECVERR, 1) == 0)
    }

    /// Whether what does not fit the path is sent in fragments.
    func setFragments(_ areAllowed: Bool) throws {
        try #require(vk_set_fragments(descriptor, family.system, areAllowed) == 0)
    }

    /// The length of a packet that the kernel believes to fit the path.
    var pathBytesMax: Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, level, family == .v4 ? IP_MTU : IPV6_MTU, &value, &length)
        return value
    }

    func send(_ bytes: [UInt8], to address: IPAddress, _ port: UInt16 = DatagramHost.port) throws {
        try send(bytes, vk_endpoint(address, port))
    }

    func send(_ text: String, to address: IPAddress, _ port: UInt16 = DatagramHost.port) throws {
        try send(Array(text.utf8), to: address, port)
    }

    /// To whom it is connected.
    func send(_ bytes: [UInt8]) throws { try send(bytes, vk_endpoint()) }

    private func send(_ bytes: [UInt8], _ endpoint: vk_endpoint) throws {
        let sent = bytes.withUnsafeBytes { bytes in
            var datagram = vk_outgoing_datagram(
                header: nil, bytes: bytes.baseAddress, header_length: 0, length: UInt32(bytes.count), remote: endpoint,
                local: vk_address())
            return vk_send_datagrams(descriptor, &datagram, 1, false)
        }
        if sent != 1 { throw Failure(code: errno) }
    }

    /// Sends many of one length at once, as segments where the kernel can.
    func send(_ all: [[UInt8]], inSegmentsTo address: IPAddress) throws {
        try send(all, to: Endpoint(address: address, port: DatagramHost.port), inSegments: true)
    }

    /// Sends many of one length at once.
    func send(_ all: [[UInt8]], to target: Endpoint, inSegments: Bool = false) throws {
        let length = UInt32(all[0].count)
        var joined = all.flatMap { $0 }
        let sent = joined.withUnsafeMutableBytes { bytes in
            let datagrams = all.indices.map {
                vk_outgoing_datagram(
                    header: nil, bytes: UnsafeRawPointer(bytes.baseAddress! + $0 * Int(length)), header_length: 0,
                    length: length,
                    remote: vk_endpoint(target), local: vk_address())
            }
            return vk_send_datagrams(descriptor, datagrams, UInt32(datagrams.count), inSegments)
        }
        try #require(sent == all.count)
    }

    /// The next datagram and whom it is from.
    func receive() throws -> (bytes: [UInt8], from: Endpoint) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        try #require(poll(&waiting, 1, 10_000) == 1, "nothing came")
        return try buffer.withUnsafeMutableBytes { bytes in
            var datagram = vk_datagram(
                bytes: bytes.baseAddress!, capacity: UInt32(bytes.count), length: 0,
                remote: vk_endpoint(), local: vk_address(), overflow: 0, segment_size: 0, was_fragmented: false)
            guard vk_receive_datagrams(descriptor, &datagram, 1) == 1 else { throw Failure(code: errno) }
            let from = Endpoint(datagram.remote)
            return (Array(bytes[..<Int(datagram.length)]), from)
        }
    }

    /// Sends until it is told that nobody takes it: whoever starts a program meanwhile may hold a closed socket a little
    /// longer.
    func sendUntilRefused() throws {
        let deadline = ContinuousClock.now + .seconds(10)
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while ContinuousClock.now < deadline {
            do { try send([1]) } catch is Failure { return }
            guard poll(&waiting, 1, 20) == 1 else { continue }
            #expect(throws: Failure.self) { try receive() }
            return
        }
        Issue.record("nobody refused it")
    }

    /// Room for many that nobody takes yet.
    func makeRoom() throws { try #require(vk_set_socket_option(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20) == 0) }

    /// The first 16 bytes of the next datagram, if there is any, as two numbers.
    func takeNumbers() -> (UInt64, UInt64)? {
        var numbers: (UInt64, UInt64) = (0, 0)
        return recv(descriptor, &numbers, 16, Int32(MSG_DONTWAIT)) == 16 ? numbers : nil
    }

    /// The next datagram as text.
    func receiveText() throws -> String { try String(decoding: receive().bytes, as: UTF8.self) }
}

/// Two hosts with two versions each, and one without a router.
struct DatagramFleet {
    let testbed: Testbed
    let a: DatagramHost
    let b: DatagramHost
    let bare: TestbedHost
    private let family: IPAddress.Family

    init(_ family: IPAddress.Family = .v4, limits: Limits = .standard) async throws {
        self.family = family
        var plan = TestbedPlan()
        plan.segment("office")
        plan.host("a", address: "10.99.0.1", on: "office")
        plan.host("b", address: "10.99.0.2", on: "office")
        plan.host("bare", address: "10.99.0.3", on: "office")
        let testbed = try Testbed(plan)
        self.testbed = testbed
        for (index, host) in testbed.hosts.enumerated() {
            try await DatagramHost.run(
                "ip", ["-6", "address", "add", "fd00:99::\(index + 1)/64", "dev", "eth0", "nodad"], in: host.namespace)
        }
        a = try await DatagramHost(testbed.hosts[0], index: 0, family, limits: limits)
        b = try await DatagramHost(testbed.hosts[1], index: 1, family, limits: limits)
        bare = testbed.hosts[2]
        try await a.route(DatagramHost.table(of: 0))
        try await b.route(DatagramHost.table(of: 1))
    }

    var bareAddress: IPAddress { IPAddress(family == .v4 ? bare.address : "fd00:99::3")! }

    /// A socket of the host without a router.
    func bareSocket(port: UInt16) throws -> DatagramEnd { try DatagramEnd(in: bare.namespace, family, port: port) }
}
