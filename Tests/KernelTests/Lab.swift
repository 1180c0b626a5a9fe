import CLinux
import Dispatch
import Glibc
import Synchronization
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed

@testable import VersionKitKernel

/// Two hosts, `a` and `b`, each with two environments as a node makes them, and with a fast path. Everything has addresses
/// of both kinds of IP.
///
/// In place of the slow path there is plain forwarding: what is not translated comes to the peer's host itself, with the
/// version's own address as its source. So whoever got it shows which way it went.
struct Lab: Sendable {
    let testbed: Testbed
    private(set) var a: Node
    private(set) var b: Node
    /// Fast paths that work as long as somebody has them.
    let kept = Kept()

    /// A host with its fast path.
    struct Node: Sendable {
        let host: TestbedHost
        let addresses: HostAddresses
        /// The kind of IP that is spoken here.
        private(set) var family = IPAddress.Family.v4
        /// Its environments, as network namespaces.
        private(set) var environments: [Environment]

        /// The host's address.
        var address: IPAddress { addresses[family]! }

        /// - Parameter number: its own: 1 or 2.
        init(_ host: TestbedHost, number: Int, peer: Int) throws {
            self.host = host
            addresses = HostAddresses(IPAddress(host.address)!, IPAddress("fd00:99::\(number)")!)
            environments = (0..<2).map { slot in
                Environment(
                    namespace: Namespace(vk_new_network_namespace()), interface: "vk\(slot)",
                    addresses: HostAddresses(
                        IPAddress("10.77.\(number).\(slot * 4 + 2)")!, IPAddress("fd00:77:\(number)::\(slot * 4 + 2)")!)
                )
            }
            var script = """
                echo 1 > /proc/sys/net/ipv4/ip_forward
                echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
                for name in all default eth0; do echo 0 > /proc/sys/net/ipv4/conf/$name/rp_filter; done
                # A forwarder asks for its neighbours from an address of the link's own.
                ip address add fe80::\(number)/64 dev eth0 nodad
                ip address add fd00:99::\(number)/64 dev eth0 nodad
                ip route add 10.77.\(peer).0/24 via 10.99.0.\(peer)
                ip route add fd00:77:\(peer)::/64 via fd00:99::\(peer)

                """
            for (slot, environment) in environments.enumerated() {
                let namespace = "/proc/\(getpid())/fd/\(environment.namespace.number)"
                let (v4, v6) = ("10.77.\(number).\(slot * 4 + 1)", "fd00:77:\(number)::\(slot * 4 + 1)")
                script += """
                    ip link add \(environment.interface) type veth peer name eth0 netns \(namespace)
                    ip address add \(v4)/30 dev \(environment.interface)
                    ip address add \(v6)/126 dev \(environment.interface) nodad
                    ip address add fe80::1/64 dev \(environment.interface) nodad
                    ip link set \(environment.interface) up
                    nsenter --net=\(namespace) ip link set lo up
                    nsenter --net=\(namespace) ip address add \(environment.addresses[.v4]!)/30 dev eth0
                    nsenter --net=\(namespace) ip address add \(environment.addresses[.v6]!)/126 dev eth0 nodad
                    nsenter --net=\(namespace) ip link set eth0 up
                    nsenter --net=\(namespace) ip route add default via \(v4)
                    nsenter --net=\(namespace) ip route add default via \(v6)

                    """
            }
            let result = try host.run("sh", ["-ec", script], timeout: .seconds(20))
            if result.exit != .exited(0) { throw KernelPathError("lab: \(result.errors)") }
        }

        /// The same host, spoken to over another kind of IP.
        func over(_ family: IPAddress.Family) -> Node {
            var other = self
            other.family = family
            other.environments = environments.map { $0.over(family) }
            return other
        }

        /// A fast path at this host's wire.
        func path(sizes: KernelTableSizes = .standard) throws -> NodePath {
            let addresses = self.addresses
            return NodePath(
                self, try inside(host.namespace) { try BPFPath(host: addresses, wire: "eth0", sizes: sizes) })
        }

        /// The host's own address with a port: what versions of the other host send to.
        func endpoint(_ port: UInt16) -> Endpoint { Endpoint(address: address, port: port) }

        /// A socket of the host itself.
        func socket(_ transport: TransportProtocol) throws -> TestSocket {
            try TestSocket(host.namespace, transport, family)
        }

        /// A socket of the host itself that takes connections or datagrams at a port.
        func server(_ port: TransportPort) throws -> TestSocket { try .server(host.namespace, port, family) }
    }

    /// A network namespace, by its descriptor.
    final class Namespace: Sendable {
        let number: Int32

        init(_ number: Int32) { self.number = number }

        deinit { close(number) }
    }

    /// An environment of a version.
    struct Environment: Sendable {
        let namespace: Namespace
        let interface: String
        let addresses: HostAddresses
        private(set) var family = IPAddress.Family.v4

        /// The version's address.
        var address: IPAddress { addresses[family]! }

        func over(_ family: IPAddress.Family) -> Environment {
            var other = self
            other.family = family
            return other
        }

        func socket(_ transport: TransportProtocol) throws -> TestSocket {
            try TestSocket(namespace.number, transport, family)
        }

        /// A socket that takes connections or datagrams at a port.
        func server(_ port: TransportPort) throws -> TestSocket { try .server(namespace.number, port, family) }
    }

    init() throws {
        var plan = TestbedPlan()
        plan.segment("lan")
        plan.host("a", address: "10.99.0.1", on: "lan")
        plan.host("b", address: "10.99.0.2", on: "lan")
        testbed = try Testbed(plan)
        a = try Node(testbed["a"]!, number: 1, peer: 2)
        b = try Node(testbed["b"]!, number: 2, peer: 1)
    }

    /// The same hosts, which speak another kind of IP.
    func over(_ family: IPAddress.Family) -> Lab {
        var other = self
        (other.a, other.b) = (a.over(family), b.over(family))
        return other
    }
}

/// Runs something on a thread in a network namespace, and waits for it.
func inside<Value: Sendable>(_ namespace: Int32, _ body: @escaping @Sendable () throws -> Value) throws -> Value {
    try Errand {
        guard vk_setns(namespace, CLONE_NEWNET) == 0 else { throw SystemError("setns") }
        return try body()
    }.wait()
}

/// Something that is done on a thread of its own.
final class Errand<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>?>(nil)
    private let done = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable () throws -> Value) {
        SystemThread(name: "errand") {
            let result = Result { try body() }
            self.result.withLock { $0 = result }
            self.done.signal()
        }.start()
    }

    /// Waits for its result. Once.
    func wait() throws -> Value {
        done.wait()
        return try result.withLock { $0! }.get()
    }
}
