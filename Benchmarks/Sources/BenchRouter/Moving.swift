import BenchFigures
import BenchPrograms

/// Measure 6: a flow of numbered datagrams that begins on the slow path and goes over to the kernel's.
///
/// Each round takes a port that nobody has used: what is learned is learned for one port.
enum Moving {
    /// The relays' processor time for each datagram if most of a flow has moved: those that carry all of it take several
    /// times as much.
    private static let microsecondsIfMoved = 10.0

    static func run(_ bench: RouterBench, _ lanes: [Lane]) {
        for (round, port) in zip(1...bench.scale.rounds, BenchRelease.freshPorts) {
            for lane in lanes where lane.variant.kernelPath != nil {
                if bench.unavailable[6, lane.variant.rawValue] != nil { continue }
                do {
                    let order = LoadOrder.sequence(bytes: 512, perSecond: 20_000, seconds: bench.scale.movingSeconds)
                    let (result, cost) = try lane.run(order, port: port, on: bench)
                    let count = try result.number("count")
                    guard count > 0 else { throw BenchError("no datagram comes back") }
                    let microseconds = cost.relays * 1e6 / count
                    bench.observe("moving-cpu", lane.variant, round: round, microseconds, "us/datagram")
                    if lane.variant != .slow, microseconds > microsecondsIfMoved {
                        throw BenchError(
                            "the flow does not move: versiond takes \(microseconds.text(digits: 0)) us a datagram")
                    }
                    for (key, unit) in [
                        ("lost", "datagrams"), ("duplicates", "datagrams"), ("reordered", "datagrams"), ("p50", "us"),
                        ("slowest", "us"),
                    ] {
                        bench.observe("moving-\(key)", lane.variant, round: round, try result.number(key), unit)
                    }
                } catch {
                    bench.lack(lane.variant, measure: 6, error)
                }
            }
        }
    }
}
