/// The peers' names, as they stand in tables and files.
package enum PeerName {
    package static let direct = "direct"
    package static let envoyTCP = "Envoy tcp_proxy"
    package static let envoyRedis = "Envoy redis_proxy"
    /// With `max_buffer_size_before_flush`: what somebody gets who tunes it for throughput.
    package static let envoyBuffered = "Envoy redis_proxy buffered"
    package static let envoyMirror = "Envoy mirror"
    package static let envoyMirrorBuffered = "Envoy mirror buffered"
    package static let haproxy = "HAProxy"
    package static let nginx = "nginx stream"
    package static let versionKit = "VersionKit"
    /// A proxy for this benchmark's load alone, which leaves out all that can be left out.
    package static let leastProxy = "least proxy"
    /// No program: what is left for one, see ``RequestCost``.
    package static let ceiling = "most that any proxy could reach here"
}

/// What the application proxy has to reach beside its peers.
package enum ProxyGoals {
    /// The goals of the measures with these numbers.
    package static func all(of measures: Set<Int>) -> [Goal] { all.filter { measures.contains($0.measure) } }

    package static let all: [Goal] = latency + throughput + dual + restart + memory + size

    private static var latency: [Goal] {
        ["get", "set"].flatMap { (command: String) -> [Goal] in
            let title = "one version, 1 connection, 2 KB \(command.uppercased()), p50"
            return [
                ratio(1, title, "latency-\(command)", to: PeerName.envoyRedis, .below(1)),
                ratio(1, title, "latency-\(command)", to: PeerName.haproxy, .atMost(1.15)),
            ]
        }
    }

    private static var throughput: [Goal] {
        ["get", "set"].flatMap { (command: String) -> [Goal] in
            let title = "one version, 50 connections, pipeline 16, 64 B \(command.uppercased()), rate"
            return [
                ratio(2, title, "throughput-\(command)", to: PeerName.envoyRedis, .atLeast(2)),
                reachable(2, title, "throughput-\(command)", by: PeerName.leastProxy, to: PeerName.envoyRedis),
                reachable(2, title, "throughput-\(command)", by: PeerName.ceiling, to: PeerName.envoyRedis),
                ratio(2, title, "throughput-\(command)", to: PeerName.envoyBuffered, .none),
            ]
        }
    }

    private static var dual: [Goal] {
        let title = "two versions, 50 connections, pipeline 16, 64 B SET"
        return [
            ratio(3, "\(title), rate until both have it", "dual-both", to: PeerName.envoyMirror, .atLeast(3)),
            reachable(3, title, "dual-both", by: PeerName.leastProxy, to: PeerName.envoyMirror),
            reachable(3, title, "dual-both", by: PeerName.ceiling, to: PeerName.envoyMirror),
            ratio(3, "\(title), rate of answers", "dual-answered", to: PeerName.envoyMirror, .none),
            ratio(3, "\(title), rate until both have it", "dual-both", to: PeerName.envoyMirrorBuffered, .none),
            ratio(3, "\(title) of one key, rate of answers", "dual-hot-key", to: PeerName.envoyMirror, .none),
        ]
    }

    private static var restart: [Goal] {
        [PeerName.versionKit, PeerName.envoyMirror].flatMap { (peer: String) -> [Goal] in
            let isOurs = peer == PeerName.versionKit
            let title = "shadow killed and restarted under load, \(peer)"
            return [
                Goal(
                    measure: 4, title: "\(title): acknowledged writes", criterion: isOurs ? .atLeast(30_000) : .none,
                    unit: "", digits: 0
                ) { $0.values("restart-acknowledged", peer).min() },
                Goal(
                    measure: 4, title: "\(title): of these lost, all rounds", criterion: isOurs ? .atMost(0) : .none,
                    unit: "", digits: 0
                ) { observations in
                    let values = observations.values("restart-lost", peer)
                    return values.isEmpty ? nil : values.reduce(0, +)
                },
                Goal(
                    measure: 4, title: "\(title): rounds with differing digests",
                    criterion: isOurs ? .atMost(0) : .none, unit: "", digits: 0
                ) { observations in
                    let values = observations.values("restart-digests-differ", peer)
                    return values.isEmpty ? nil : values.reduce(0, +)
                },
            ]
        }
    }

    private static var memory: [Goal] {
        [PeerName.versionKit, PeerName.envoyRedis, PeerName.haproxy].map { (peer: String) in
            Goal(
                measure: 5, title: "memory per idle connection, \(peer)",
                criterion: peer == PeerName.versionKit ? .atMost(25) : .none, unit: " KB", digits: 1
            ) { $0.values("memory-per-connection", peer).max() }
        } + [
            Goal(
                measure: 5, title: "memory when opened for the last time, to the first, VersionKit",
                criterion: .atMost(1.1), unit: "x", digits: 2
            ) { $0.median("memory-last-to-first", PeerName.versionKit) }
        ]
    }

    private static var size: [Goal] {
        [("Redis", 400.0), ("Memcached", 150), ("IrisLog", 120)].map { (adapter: String, limit: Double) in
            Goal(
                measure: 6, title: "code lines of the adapter for \(adapter)", criterion: .atMost(limit), unit: "",
                digits: 0
            ) { $0.median("adapter-lines", adapter) }
        }
    }

    /// How far one could get from a peer on this machine, beside how far we got.
    private static func reachable(
        _ measure: Int, _ title: String, _ key: String, by other: String, to peer: String
    ) -> Goal {
        Goal(
            measure: measure, title: "\(title): \(other), to \(peer)", criterion: .none, unit: "x", digits: 3,
            peer: other
        ) { $0.ratio(key, other, to: peer) }
    }

    private static func ratio(
        _ measure: Int, _ title: String, _ key: String, to peer: String, _ criterion: Goal.Criterion
    ) -> Goal {
        Goal(measure: measure, title: "\(title), to \(peer)", criterion: criterion, unit: "x", digits: 3) {
            $0.ratio(key, PeerName.versionKit, to: peer)
        }
    }
}
