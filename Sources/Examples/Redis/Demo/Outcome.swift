import ExampleFleet
import Glibc
import RedisFleet

/// What the demonstration found.
struct Outcome {
    var isUpgraded: Bool
    var duration: Duration
    var check: CheckNumbers
    var benchmarkRequests: Int
    /// What went wrong besides the checked requests: in redis-benchmark, or a fault that could not be brought about.
    var troubles: [String]
    /// How many of these are requests of redis-benchmark.
    var benchmarkFailures: Int

    var requests: Int { check.requests + benchmarkRequests }
    var failed: Int { check.failed + benchmarkFailures }
    var isGood: Bool { isUpgraded && failed == 0 && check.lost == 0 && check.writes > 0 && troubles.isEmpty }

    var line: String {
        "demo: \(isUpgraded ? 1 : 0)/1 nodes on version 2 in \(duration.inSeconds.tenths) s; \(requests) requests, "
            + "\(failed) failed; \(check.writes) writes, \(check.lost) lost"
    }

    var json: String {
        "{\"upgraded\": \(isUpgraded), \"seconds\": \(duration.inSeconds.tenths), \"requests\": \(requests), "
            + "\"failed\": \(failed), \"writes\": \(check.writes), \"lost\": \(check.lost), \"good\": \(isGood)}"
    }
}
