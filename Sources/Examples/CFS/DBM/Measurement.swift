import CFSModel
import Foundation

/// What one block did.
struct Sample: Sendable {
    var index: Int
    var name: ChordID
    var milliseconds: Double
    var hops: Int
    /// How often the nodes tried again.
    var retries: Int
    /// What went wrong; nil if nothing did.
    var failure: String?
    /// Whether what came was something else.
    var isWrong = false
}

/// What all blocks did.
struct Measurement: Encodable {
    var phase: String
    var blocks: Int
    var blockBytes: Int
    var concurrency: Int
    var seed: UInt64
    var seconds: Double
    var megabytesPerSecond: Double
    var blocksPerSecond: Double
    /// Milliseconds.
    var latency: Latency
    var failures: Int
    var wrong: Int
    var clientRetries: Int
    var nodeRetries: Int
    var hops: Double

    struct Latency: Encodable {
        var mean: Double
        var p50: Double
        var p90: Double
        var p99: Double
        var max: Double
    }

    init(
        _ phase: String, _ load: Load, concurrency: Int, _ samples: [Sample], seconds: Double, clientRetries: Int
    ) {
        self.phase = phase
        self.concurrency = concurrency
        self.seconds = seconds
        self.clientRetries = clientRetries
        (blocks, blockBytes, seed) = (load.count, load.size, load.seed)
        let right = samples.filter { $0.failure == nil && !$0.isWrong }
        failures = samples.count { $0.failure != nil }
        wrong = samples.count(where: \.isWrong)
        megabytesPerSecond = Double(right.count * load.size) / 1_000_000 / seconds
        blocksPerSecond = Double(right.count) / seconds
        nodeRetries = samples.reduce(0) { $0 + $1.retries }
        hops = samples.isEmpty ? 0 : Double(samples.reduce(0) { $0 + $1.hops }) / Double(samples.count)
        let times = samples.map(\.milliseconds).sorted()
        func percentile(_ share: Double) -> Double {
            times.isEmpty ? 0 : times[min(times.count - 1, Int(share * Double(times.count)))]
        }
        latency = Latency(
            mean: times.isEmpty ? 0 : times.reduce(0, +) / Double(times.count), p50: percentile(0.5),
            p90: percentile(0.9), p99: percentile(0.99), max: times.last ?? 0)
    }

    /// A line for people.
    var line: String {
        String(
            format: "%@: %d blocks of %d bytes in %.3f s: %.3f MB/s, %.0f blocks/s; ms: %.2f mean, %.2f p50, %.2f p90, "
                + "%.2f p99, %.2f max; %.2f hops; retries %d of the client, %d of nodes; %d failed, %d wrong",
            phase, blocks, blockBytes, seconds, megabytesPerSecond, blocksPerSecond, latency.mean, latency.p50,
            latency.p90, latency.p99, latency.max, hops, clientRetries, nodeRetries, failures, wrong)
    }
}
