/// The ways between two hosts that are compared.
package enum RouterVariant: String, Sendable, CaseIterable {
    /// The kernel forwards: what all others are divided by.
    case plain = "plain routing"
    /// The same once more: how far two that are alike come apart in this run.
    case control = "plain routing again"
    case ebpf = "VersionKit eBPF"
    case nftables = "VersionKit nftables"
    case slow = "VersionKit slow path"
    case haproxy = "HAProxy"
    case nginx = "nginx stream"
    case envoy = "Envoy"

    /// What versiond's configuration calls it; `nil` for what is not versiond.
    package var kernelPath: String? {
        switch self {
        case .ebpf: "ebpf"
        case .nftables: "nftables"
        case .slow: "none"
        case .plain, .control, .haproxy, .nginx, .envoy: nil
        }
    }

    /// HAProxy relays no datagrams.
    package var hasDatagrams: Bool { self != .haproxy }

    package static let peers: [RouterVariant] = [.haproxy, .nginx, .envoy]
}

/// What the version router has to reach, to plain routing and beside its peers.
package enum RouterGoals {
    /// The goals of the measures with these numbers.
    package static func all(of measures: Set<Int>) -> [Goal] { all.filter { measures.contains($0.measure) } }

    package static let all: [Goal] =
        latency + rate + bulk + connect + datagrams + moving + memory

    /// Processor time that is none: versiond also does other things, and its clock ticks a hundred times a second.
    private static let noTime = 0.1

    private static var latency: [Goal] {
        [("64 B", "p50-64"), ("2 KB", "p50-2048")].flatMap { (size: String, key: String) -> [Goal] in
            let title = "p50, \(size), 1 connection"
            return toPlain(
                1, title, key,
                [(.control, .none), (.ebpf, .atMost(1.05)), (.nftables, .atMost(1.35)), (.slow, .atMost(1.75))])
                + [toBestPeer(1, title, key, .below(1), isLowBest: true)]
        }
    }

    private static var rate: [Goal] {
        toPlain(
            2, "requests/s, 50 connections", "rate-50",
            [(.control, .none), (.ebpf, .atLeast(0.95)), (.nftables, .atLeast(0.65))])
            + [toBestPeer(2, "requests/s, 50 connections", "rate-50", .atLeast(1), isLowBest: false)]
            + processorTime(2, "relays' CPU seconds per 100 k requests", "cpu-per-100k-requests")
    }

    private static var bulk: [Goal] {
        toPlain(
            3, "bulk throughput", "bulk",
            [(.control, .none), (.ebpf, .atLeast(0.95)), (.nftables, .atLeast(0.7)), (.slow, .atLeast(0.32))])
            + [toBestPeer(3, "bulk throughput", "bulk", .atLeast(1.3), isLowBest: false)]
            + processorTime(3, "relays' CPU seconds per GB", "cpu-per-gb")
    }

    private static var connect: [Goal] {
        toPlain(
            4, "connect + 64 B + close", "connect",
            [(.control, .none), (.ebpf, .atMost(1.15)), (.nftables, .atMost(1.5)), (.slow, .atMost(2.5))])
    }

    private static var datagrams: [Goal] {
        toPlain(
            5, "UDP 512 B, p50", "udp-p50", [(.control, .none), (.ebpf, .atMost(1.08)), (.nftables, .atMost(1.35))])
            + toPlain(
                5, "UDP 512 B, window 32, rate", "udp-rate",
                [(.control, .none), (.ebpf, .atLeast(0.97)), (.nftables, .atLeast(0.55))])
            + [RouterVariant.nginx, .envoy].map { (peer: RouterVariant) in
                ratio(5, "UDP 512 B, window 32, rate", "udp-rate", .slow, to: peer, .atLeast(2))
            }
    }

    private static var moving: [Goal] {
        [RouterVariant.ebpf, .nftables].map { (variant: RouterVariant) in
            Goal(
                measure: 6, title: "lost of 20 000 datagrams/s while a flow moves, all rounds, \(variant.rawValue)",
                criterion: .atMost(0), unit: "", digits: 0, peer: variant.rawValue
            ) { observations in
                let values = observations.values("moving-lost", variant.rawValue)
                return values.isEmpty ? nil : values.reduce(0, +)
            }
        }
    }

    private static var memory: [Goal] {
        [(RouterVariant.ebpf, 2.0), (.slow, 12)].map { (variant: RouterVariant, limit: Double) in
            Goal(
                measure: 7, title: "versiond's memory per connection, \(variant.rawValue)", criterion: .atMost(limit),
                unit: " KB", digits: 2, peer: variant.rawValue
            ) { $0.values("memory-per-connection", variant.rawValue).max() }
        }
    }

    private static func processorTime(_ measure: Int, _ title: String, _ key: String) -> [Goal] {
        [RouterVariant.ebpf, .nftables].map { (variant: RouterVariant) in
            Goal(
                measure: measure, title: "\(title), \(variant.rawValue)", criterion: .atMost(noTime), unit: " s",
                digits: 2,
                peer: variant.rawValue
            ) { $0.median(key, variant.rawValue) }
        } + [toBestPeer(measure, title, key, .below(1), isLowBest: true)]
    }

    private static func toPlain(
        _ measure: Int, _ title: String, _ key: String, _ criteria: [(RouterVariant, Goal.Criterion)]
    ) -> [Goal] {
        criteria.map { ratio(measure, title, key, $0, to: .plain, $1) }
    }

    private static func ratio(
        _ measure: Int, _ title: String, _ key: String, _ variant: RouterVariant, to other: RouterVariant,
        _ criterion: Goal.Criterion
    ) -> Goal {
        Goal(
            measure: measure, title: "\(title), \(variant.rawValue) to \(other.rawValue)", criterion: criterion,
            unit: "x",
            digits: 3, peer: variant.rawValue
        ) { $0.ratio(key, variant.rawValue, to: other.rawValue) }
    }

    private static func toBestPeer(
        _ measure: Int, _ title: String, _ key: String, _ criterion: Goal.Criterion, isLowBest: Bool
    ) -> Goal {
        let slow = RouterVariant.slow.rawValue
        let peers = RouterVariant.peers.map(\.rawValue)
        return Goal(
            measure: measure, title: "\(title), \(slow) to the best peer", criterion: criterion, unit: "x", digits: 3,
            peer: slow
        ) { $0.ratio(key, slow, toBestOf: peers, isLowBest: isLowBest) }
    }
}
