import BenchFigures
import BenchPrograms
import Foundation

/// What any proxy could reach on this machine: how much of its processors a request takes of those who are not the proxy.
enum Ceiling {
    /// Measures it beside the peers, in the same round.
    ///
    /// - Parameters:
    ///   - measure: what the peers' rates are observed as.
    ///   - redis: a server that is asked without a proxy.
    ///   - versions: to how many servers the proxies of this measure write.
    static func observe(
        _ bench: Bench, _ measure: String, test: String, redis: Redis, responder: Peer, versions: Int, round: Int
    ) throws {
        let direct = Peer(name: PeerName.direct, port: redis.port, child: redis.child)
        let served = try cost(bench, direct, test)
        let answered = try cost(bench, responder, test)
        // The load generator takes more where it is woken more often: what the better of the two runs took is certain.
        let cost = RequestCost(
            client: min(served.client, answered.client), responder: answered.server, server: served.server)
        for (name, seconds) in [("client", cost.client), ("responder", cost.responder), ("server", cost.server)] {
            bench.observe("\(measure)-cost", name, round: round, seconds * 1_000_000, "us/request")
        }
        let rate = cost.rateMax(processors: ProcessInfo.processInfo.activeProcessorCount, servers: versions)
        bench.observe(measure, PeerName.ceiling, round: round, rate, "requests/s")
    }

    /// Processor time of the load generator and of the one it asks, in seconds for each request.
    private static func cost(_ bench: Bench, _ peer: Peer, _ test: String) throws -> (client: Double, server: Double) {
        let before = try peer.child.processorSeconds()
        let clients = Children.processorSeconds
        _ = try bench.redisBenchmark(peer, tests: [test])
        let requests = Double(bench.scale.requests)
        return (
            (Children.processorSeconds - clients) / requests, (try peer.child.processorSeconds() - before) / requests
        )
    }
}
