import BenchFigures
import BenchPrograms

/// Measure 2: how much 50 clients get done that send 16 requests at a time.
enum Throughput {
    static func run(_ bench: Bench) throws {
        let redis = try bench.redis()
        let peers =
            try [Peer(name: PeerName.direct, port: redis.port, child: redis.child)]
            + bench.envoy(redis) + [bench.haproxy(redis), bench.nginx(redis), bench.versionKit([redis])]
            + bench.leastProxy([redis], measure: 2)
        let responder = try bench.responder()
        defer { bench.stop(peers + [responder]) }

        try bench.forEachRound(peers) { peer, round in
            let rates = try bench.redisBenchmark(peer, tests: ["SET", "GET"])
            bench.observe("throughput-set", peer.name, round: round, rates["SET"] ?? 0, "requests/s")
            bench.observe("throughput-get", peer.name, round: round, rates["GET"] ?? 0, "requests/s")
            guard peer.name == PeerName.direct else { return }
            for test in ["SET", "GET"] {
                try Ceiling.observe(
                    bench, "throughput-\(test.lowercased())", test: test, redis: redis, responder: responder,
                    versions: 1,
                    round: round)
            }
        }
    }
}

extension Bench {
    /// Runs redis-benchmark.
    ///
    /// - Parameter spread: over 100 000 keys; otherwise all requests are for the same one.
    func redisBenchmark(_ peer: Peer, tests: [String], spread: Bool = true) throws -> [String: Double] {
        var arguments = [
            "-h", "127.0.0.1", "-p", "\(peer.port)", "-t", tests.joined(separator: ",").lowercased(), "-c", "50", "-P",
            "16", "-d", "64", "-n", "\(scale.requests)", "--csv",
        ]
        if spread { arguments += ["-r", "100000"] }
        let child = try start("redis-benchmark", tools.redisBenchmark, arguments)
        let code = try Children.wait(for: child, seconds: 180)
        let rates = RedisBenchmarkCSV.rates(child.output)
        guard code == 0, tests.allSatisfy({ rates[$0] != nil }) else {
            throw BenchError("redis-benchmark of \(peer.name) ended with \(code):\n  \(child.lastWords)")
        }
        return rates
    }
}
