import BenchFigures
import BenchPrograms
import Foundation
import Glibc

/// Measure 3: writes that go to two versions.
///
/// The rate that counts is until both versions have them all: who answers first and writes later would otherwise seem
/// fast. Every peer has servers of its own, since nobody promises to bear another writer beside it.
enum DualWrites {
    private static let catchUpSeconds = 30.0

    static func run(_ bench: Bench) throws {
        let mirror = try bench.envoyMirror([bench.redis(), bench.redis()])
        let ours = try bench.versionKit([bench.redis(), bench.redis()])
        let peers = try mirror + [ours] + bench.leastProxy([bench.redis(), bench.redis()], measure: 3)
        // A server that no proxy knows.
        let alone = try bench.redis()
        let responder = try bench.responder()
        defer {
            bench.stop(peers + [responder])
            Children.stop(alone.child)
        }

        try bench.forEachRound(peers) { peer, round in
            let versions = try peer.versions.map { try RedisConnection(port: $0.port, timeoutSeconds: 30) }
            for version in versions {
                _ = try version.ask("FLUSHALL")
                _ = try version.ask("CONFIG", "RESETSTAT")
            }
            let rate = try bench.redisBenchmark(peer, tests: ["SET"])["SET"] ?? 0
            let started = Date()
            var isCaughtUp = false
            while !isCaughtUp, Date().timeIntervalSince(started) < catchUpSeconds {
                isCaughtUp = try sets(versions[1]) >= sets(versions[0])
                if !isCaughtUp { usleep(5000) }
            }
            let catchUp = Date().timeIntervalSince(started)
            let digests = try versions.map { try $0.ask("DEBUG", "DIGEST") }
            bench.observe("dual-answered", peer.name, round: round, rate, "requests/s")
            bench.observe("dual-catch-up", peer.name, round: round, catchUp, "s")
            bench.observe("dual-digests-differ", peer.name, round: round, digests[0] == digests[1] ? 0 : 1, "rounds")
            guard isCaughtUp, digests[0] == digests[1] else {
                bench.say("  \(peer.name): version 2 has not got all writes of version 1")
                return
            }
            let requests = Double(bench.scale.requests)
            bench.observe("dual-both", peer.name, round: round, requests / (requests / rate + catchUp), "requests/s")
            guard peer.name == PeerName.versionKit else { return }
            try Ceiling.observe(
                bench, "dual-both", test: "SET", redis: alone, responder: responder, versions: 2, round: round)
        }
        try bench.forEachRound(peers) { peer, round in
            let rates = try bench.redisBenchmark(peer, tests: ["SET"], spread: false)
            bench.observe("dual-hot-key", peer.name, round: round, rates["SET"] ?? 0, "requests/s")
        }
    }

    /// How many SETs a server has done, or whatever else a proxy made of them.
    private static func sets(_ redis: RedisConnection) throws -> Int {
        guard case .text(let text) = try redis.ask("INFO", "commandstats") else { return 0 }
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("cmdstat_set:calls=") }
        return line?.dropFirst("cmdstat_set:calls=".count).split(separator: ",").first.flatMap { Int($0) } ?? 0
    }
}
