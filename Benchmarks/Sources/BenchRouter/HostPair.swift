import BenchPrograms
import Foundation

/// A network namespace: a host, or an environment of one.
struct Namespace {
    /// The path by which it is entered.
    let path: String

    /// One of `ip netns`.
    init(named name: String) { path = "/run/netns/\(name)" }

    /// The one of a process.
    init(of process: Int32) { path = "/proc/\(process)/ns/net" }
}

/// Two hosts, A and B, joined by a cable, all in namespaces of this sandbox.
///
/// Each pair has the same addresses, since no two know of each other.
struct HostPair {
    static let addressA = "192.168.60.1"
    static let addressB = "192.168.60.2"
    /// Where environments are that nobody else makes: see ``addEnvironments(_:)``.
    static let environmentA = "10.1.1.2"
    static let environmentB = "10.2.1.2"

    let name: String
    var a: Namespace { Namespace(named: "\(name)A") }
    var b: Namespace { Namespace(named: "\(name)B") }
    var inA: Namespace { Namespace(named: "\(name)a") }
    var inB: Namespace { Namespace(named: "\(name)b") }

    /// Makes the hosts.
    init(_ name: String, on bench: RouterBench) throws {
        self.name = name
        try bench.shell(
            """
            for host in \(name)A \(name)B; do ip netns add $host; ip -n $host link set lo up; done
            ip link add eth0 netns \(name)A type veth peer name eth0 netns \(name)B
            ip -n \(name)A address add \(Self.addressA)/24 dev eth0
            ip -n \(name)B address add \(Self.addressB)/24 dev eth0
            for host in \(name)A \(name)B; do
              ip -n $host link set eth0 up
              ip netns exec $host sysctl -qw net.ipv4.tcp_tw_reuse=1 net.core.somaxconn=4096
            done
            """)
    }

    /// Gives each host an environment of the same kind as versiond's: a namespace behind a cable, `env` on the host.
    func addEnvironments(_ bench: RouterBench) throws {
        try bench.shell(
            """
            environment() {
              ip netns add $2; ip -n $2 link set lo up
              ip link add env netns $1 type veth peer name eth0 netns $2
              ip -n $1 address add $3.1/30 dev env; ip -n $1 link set env up
              ip -n $2 address add $3.2/30 dev eth0; ip -n $2 link set eth0 up
              ip -n $2 route add default via $3.1
              ip netns exec $1 sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
                net.ipv4.conf.env.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0 net.ipv4.tcp_early_demux=0
              ip netns exec $2 sysctl -qw net.ipv4.tcp_tw_reuse=1 net.core.somaxconn=4096
            }
            environment \(name)A \(name)a 10.1.1
            environment \(name)B \(name)b 10.2.1
            """)
    }

    /// Lets the environments reach each other by routing alone.
    func addRoutes(_ bench: RouterBench) throws {
        try bench.shell(
            """
            ip -n \(name)A route add 10.2.1.0/30 via \(Self.addressB)
            ip -n \(name)B route add 10.1.1.0/30 via \(Self.addressA)
            """)
    }
}
