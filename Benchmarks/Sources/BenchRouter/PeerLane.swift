import BenchFigures
import BenchPrograms
import Glibc

/// A peer as a router: one on each host, as ours are, and the client's traffic intercepted, as ours is.
struct PeerLane {
    private static let nearTCP = 15_001
    private static let nearUDP = 15_002
    private static let farTCP = 15_101
    private static let farUDP = 15_102

    let variant: RouterVariant
    let pair: HostPair
    let bench: RouterBench

    static func make(_ variant: RouterVariant, _ bench: RouterBench) throws -> Lane {
        let pair = try HostPair(String(variant.rawValue.prefix(3)).lowercased(), on: bench)
        return try PeerLane(variant: variant, pair: pair, bench: bench).lane()
    }

    private func lane() throws -> Lane {
        try pair.addEnvironments(bench)
        try Lane.startServer(in: pair.inB, bench)
        try intercept()
        let far = try start(isNear: false)
        let near = try start(isNear: true)
        let lane = Lane(variant: variant, client: pair.inA, server: HostPair.addressB, relays: [])
        do {
            try lane.waitUntilReady(seconds: 20, on: bench)
        } catch {
            throw BenchError("\(error)\n  \(near.lastWords)\n  \(far.lastWords)")
        }
        // Only now: workers begin with their masters, not before.
        return Lane(
            variant: variant, client: lane.client, server: lane.server,
            relays: Processors.tree(near.id) + Processors.tree(far.id))
    }

    /// nginx takes no connections to foreign addresses, so they are redirected to it, and conntrack keeps them; the others
    /// are spared that. No peer answers datagrams from a foreign address.
    private func intercept() throws {
        let takesForeign = variant != .nginx
        let rules = """
            table ip bench {
              chain untracked {
                type filter hook prerouting priority raw; policy accept;
                \(takesForeign ? "meta l4proto tcp notrack" : "")
                iifname "eth0" notrack
              }
              chain untracked_here {
                type filter hook output priority raw; policy accept;
                \(takesForeign ? "meta l4proto tcp notrack" : "")
                oifname "eth0" notrack
              }
              chain intercepted {
                type filter hook prerouting priority mangle; policy accept;
                \(takesForeign ? "iifname \"env\" socket transparent 1 meta mark set 1 accept" : "")
                \(takesForeign
                    ? "iifname \"env\" tcp dport \(Lane.port) tproxy to :\(Self.nearTCP) meta mark set 1 accept" : "")
              }
              chain redirected {
                type nat hook prerouting priority dstnat; policy accept;
                \(takesForeign ? "" : "iifname \"env\" tcp dport \(Lane.port) redirect to :\(Self.nearTCP)")
                iifname "env" udp dport \(Lane.port) redirect to :\(Self.nearUDP)
              }
            }

            """
        let path = "\(try bench.folder("nft"))/rules"
        try File.write(rules, to: path)
        try bench.shell(
            """
            ip netns exec \(pair.name)A nft -f \(path)
            ip -n \(pair.name)A rule add fwmark 1 lookup 100
            ip -n \(pair.name)A route add local 0.0.0.0/0 dev lo table 100
            """)
    }

    private func start(isNear: Bool) throws -> Child {
        let target = isNear ? HostPair.addressB : HostPair.environmentB
        let targetTCP = isNear ? Self.farTCP : Int(Lane.port)
        let targetUDP = isNear ? Self.farUDP : Int(Lane.port)
        var values = [
            "TCP_PORT": "\(isNear ? Self.nearTCP : Self.farTCP)", "UDP_PORT": "\(isNear ? Self.nearUDP : Self.farUDP)",
            "TARGET": target, "TCP_TARGET_PORT": "\(targetTCP)", "UDP_TARGET_PORT": "\(targetUDP)",
            "TCP_TARGET": "\(target):\(targetTCP)", "UDP_TARGET": "\(target):\(targetUDP)",
        ]
        let host = isNear ? pair.a : pair.b
        switch variant {
        case .haproxy:
            values["BIND"] = isNear ? "transparent" : "accept-proxy"
            values["SEND"] = isNear ? "send-proxy-v2" : ""
            let file = try bench.configuration("router-haproxy.cfg", values)
            return try bench.start("HAProxy", in: host, try program(bench.tools.haproxy), ["-db", "-f", file])
        case .nginx:
            let folder = try bench.folder("nginx")
            values["DIRECTORY"] = folder
            values["STREAM_MODULE"] = try program(bench.tools.streamModule)
            values["LISTEN"] = isNear ? "" : " proxy_protocol"
            values["SEND"] = isNear ? "proxy_protocol on;" : ""
            let file = try bench.configuration("router-nginx.conf", values)
            return try bench.start(
                "nginx", in: host, try program(bench.tools.nginx), ["-p", folder, "-e", "stderr", "-c", file])
        default:
            let file = try bench.configuration("router-envoy-\(isNear ? "near" : "far").yaml", values)
            return try bench.start(
                "Envoy", in: host, try program(bench.tools.envoy),
                // Hot restart would meet other Envoys of this machine in shared memory.
                ["-c", file, "--concurrency", "1", "--log-level", "error", "--disable-hot-restart"])
        }
    }

    private func program(_ path: String?) throws -> String {
        guard let path else { throw BenchError("it is not installed; scripts/bench-peers does that") }
        return path
    }
}
