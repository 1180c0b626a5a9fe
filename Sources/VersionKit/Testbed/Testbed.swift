internal import CLinux
internal import Glibc
internal import Synchronization

/// A network of hosts on this machine, for tests, demonstrations and measurements.
///
/// ```swift
/// var plan = TestbedPlan()
/// plan.segment("one")
/// plan.host("a", address: "10.99.0.1", address6: "fd00:99::1", on: "one", link: Link(delay: .milliseconds(1)))
/// plan.host("b", address: "fd00:99::2", on: "one")
/// let testbed = try Testbed(plan)
/// defer { testbed.stop() }
/// ```
///
/// The process has to run inside `scripts/sandbox`: then nothing outlives it, whatever happens to it.
public final class Testbed: Sendable {
    /// All hosts, in the order of the plan.
    public let hosts: [TestbedHost]

    private struct Ends: Hashable {
        var from: String
        var to: String
    }

    // Bridges and the fabric's ends of all cables live as long as this.
    let fabric: Descriptor
    private let carrier: LinkCarrier
    private let directions: [Ends: LinkCarrier.Direction]

    /// Builds the network. Blocks the thread for some milliseconds per host.
    ///
    /// - Throws: `TestbedError` when the plan is wrong, outside `scripts/sandbox`, or if there is no `ip`.
    public init(_ plan: TestbedPlan) throws {
        guard getenv("VERSIONKIT_SANDBOX") != nil else {
            throw TestbedError(.outsideSandbox, "run inside scripts/sandbox")
        }
        try plan.validate()
        let script = NetworkScript(plan)
        fabric = try Self.newNamespace()
        hosts = try plan.hosts.map {
            TestbedHost(name: $0.name, addresses: $0.addresses, descriptor: try Self.newNamespace())
        }
        let namespaces = hosts.enumerated().map { index, host in
            (source: host.namespace, target: NetworkScript.hostDescriptor(index))
        }
        try IPCommand(script.fabric, in: fabric, of: "the segments", descriptors: namespaces).finish()
        // Hosts do not depend on each other: all start before the first is waited for.
        let commands = try zip(hosts, script.hosts).map { host, script in
            try IPCommand(script, in: host.descriptor, of: host.name)
        }
        for command in commands { try command.finish() }
        directions = try Self.connect(script.carried, in: fabric)
        carrier = try LinkCarrier(Array(directions.values))
    }

    deinit {
        stop()
    }

    /// The host of this name.
    public subscript(name: String) -> TestbedHost? {
        hosts.first { $0.name == name }
    }

    /// What has gone from one end of a link to the other. Ends are hosts or segments.
    /// Nil if there is no such link, or it is direct: then only the kernel knows.
    public func traffic(from: String, to: String) -> LinkTraffic? {
        directions[Ends(from: from, to: to)]?.traffic
    }

    /// Kills all processes on the hosts and takes the network down. Has no effect the second time.
    ///
    /// A host's network lives on while sockets or descriptors made from it do.
    public func stop() {
        for host in hosts { host.stop() }
        carrier.stop()
        fabric.close()
    }

    private static func newNamespace() throws(TestbedError) -> Descriptor {
        try Descriptor(checking: vk_new_network_namespace(), "cannot make a network namespace")
    }

    private static func connect(
        _ links: [NetworkScript.CarriedLink], in fabric: Descriptor
    ) throws(TestbedError) -> [Ends: LinkCarrier.Direction] {
        var directions: [Ends: LinkCarrier.Direction] = [:]
        for link in links {
            let first = try packetSocket(link.firstInterface, in: fabric)
            let second = try packetSocket(link.secondInterface, in: fabric)
            directions[Ends(from: link.firstName, to: link.secondName)] = .init(
                from: first, to: second, link: link.link)
            directions[Ends(from: link.secondName, to: link.firstName)] = .init(
                from: second, to: first, link: link.link)
        }
        return directions
    }

    private static func packetSocket(_ interface: String, in fabric: Descriptor) throws(TestbedError)
        -> Descriptor
    {
        let socket = try Descriptor(
            checking: vk_packet_socket(fabric.number, interface, true), "no packet socket on \(interface)")
        // Room for bursts of big packets; beyond the machine's limit only for root.
        if vk_set_socket_option(socket.number, SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23) < 0 {
            _ = vk_set_socket_option(socket.number, SOL_SOCKET, SO_RCVBUF, 1 << 23)
        }
        return socket
    }
}
