import BenchFigures

/// Measure 1: how long one client waits.
///
/// With a client of our own: redis-benchmark sorts its samples into steps of 8 microseconds, a third of what a direct
/// request takes here. And the peers take turns within a round, some requests each: on a virtual machine a wake-up takes
/// 10 or 70 microseconds for seconds at a time, depending on what else goes on, which must not fall to one of them.
enum Latency {
    private static let valueSize = 2048
    private static let turnLength = 250
    private static let warmUp = 25

    static func run(_ bench: Bench) throws {
        let redis = try bench.redis()
        // The one that is buffered waits on purpose, and would be wronged here.
        let peers =
            try [Peer(name: PeerName.direct, port: redis.port, child: redis.child)]
            + bench.envoy(redis).filter { $0.name != PeerName.envoyBuffered }
            + [bench.haproxy(redis), bench.nginx(redis), bench.versionKit([redis])]
        defer { bench.stop(peers) }

        let value = String(repeating: "v", count: valueSize)
        let set = RedisConnection.encode(["SET", "latency", value])
        let get = RedisConnection.encode(["GET", "latency"])
        let getLength = "$\(valueSize)\r\n".utf8.count + valueSize + 2
        let commands = [("latency-set", set, "+OK\r\n".utf8.count), ("latency-get", get, getLength)]
        for round in 1...bench.scale.rounds {
            let clients = try peers.map { try RedisConnection(port: $0.port) }
            for (name, request, length) in commands {
                let samples = try sample(clients, request, replyLength: length, turns: bench.scale.latencyTurns)
                for (peer, values) in zip(peers, samples) {
                    if let median = Statistics.median(values) {
                        bench.observe(name, peer.name, round: round, median, "us")
                    }
                }
            }
        }
    }

    /// The microseconds of each client's requests.
    private static func sample(
        _ clients: [RedisConnection], _ request: [UInt8], replyLength: Int, turns: Int
    ) throws -> [[Double]] {
        var samples = clients.map { _ in [Double]() }
        for turn in 0..<turns {
            for index in clients.indices.map({ ($0 + turn) % clients.count }) {
                // The first of a turn find caches that others have filled, and programs asleep.
                for _ in 0..<warmUp { _ = try clients[index].time(request, replyLength: replyLength) }
                for _ in 0..<turnLength {
                    samples[index].append(
                        Double(try clients[index].time(request, replyLength: replyLength)) / 1000)
                }
            }
        }
        return samples
    }
}
