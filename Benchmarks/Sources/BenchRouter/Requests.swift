import BenchFigures
import BenchPrograms

/// Measures 1 to 5: loads of some tenths of a second, each variant in turn.
enum Requests {
    /// One figure of one run.
    struct Figure {
        var key: String
        var value: Double
        var unit: String
    }

    private struct Test {
        var measure: Int
        var order: LoadOrder
        var figures: @Sendable (LoadResult, Lane.Cost) throws -> [Figure]
    }

    static func run(_ bench: RouterBench, _ lanes: [Lane], measures: Set<Int>) {
        let tests = tests(bench.scale).filter { measures.contains($0.measure) }
        guard !tests.isEmpty else { return }
        for round in 1...bench.scale.rounds {
            for test in tests { run(test, round: round, bench, lanes) }
        }
    }

    private static func run(_ test: Test, round: Int, _ bench: RouterBench, _ lanes: [Lane]) {
        var figures = lanes.map { _ in [Figure]() }
        for turn in 0..<bench.scale.turns {
            for position in lanes.indices {
                // Each turn begins with another, since a machine that gets slower would always wrong the same one.
                let index = (position + round + turn) % lanes.count
                let lane = lanes[index]
                if test.order.isDatagrams, !lane.variant.hasDatagrams { continue }
                if bench.unavailable[test.measure, lane.variant.rawValue] != nil { continue }
                do {
                    let (result, cost) = try lane.run(test.order, on: bench)
                    figures[index] += try test.figures(result, cost).filter { !$0.isOfRelays || !lane.relays.isEmpty }
                } catch {
                    bench.lack(lane.variant, measure: test.measure, error)
                }
            }
        }
        for (lane, figures) in zip(lanes, figures) where bench.unavailable[test.measure, lane.variant.rawValue] == nil {
            var told: Set<String> = []
            for figure in figures where told.insert(figure.key).inserted {
                let values = figures.filter { $0.key == figure.key }.map(\.value)
                if let median = Statistics.median(values) {
                    bench.observe(figure.key, lane.variant, round: round, median, figure.unit)
                }
            }
        }
    }

    private static func tests(_ scale: Scale) -> [Test] {
        [64, 2048].map { bytes in
            Test(measure: 1, order: .ping(bytes: bytes, connections: 1, seconds: scale.seconds)) { result, _ in
                [
                    Figure(key: "p50-\(bytes)", value: try result.number("p50"), unit: "us"),
                    Figure(key: "p99-\(bytes)", value: try result.number("p99"), unit: "us"),
                ]
            }
        } + [
            Test(measure: 2, order: .ping(bytes: 64, connections: 50, seconds: scale.seconds)) { result, cost in
                [Figure(key: "rate-50", value: try result.number("rate"), unit: "/s")]
                    + cost.figures(per: "100k-requests", try result.number("count") / 1e5)
            },
            Test(measure: 3, order: .bulk(seconds: scale.bulkSeconds)) { result, cost in
                [Figure(key: "bulk", value: try result.number("gbps"), unit: "Gbit/s")]
                    + cost.figures(per: "gb", try result.number("bytes") / 1e9)
            },
            Test(measure: 4, order: .connect(count: scale.connects)) { result, _ in
                [Figure(key: "connect", value: try result.number("p50"), unit: "us")]
            },
            Test(measure: 5, order: .datagrams(bytes: 512, window: 1, seconds: scale.seconds)) { result, _ in
                guard try result.number("count") > 0 else { throw BenchError("no datagram comes back") }
                return [
                    Figure(key: "udp-p50", value: try result.number("p50"), unit: "us"),
                    Figure(key: "udp-p99", value: try result.number("p99"), unit: "us"),
                    Figure(key: "udp-lost", value: try result.number("lost"), unit: "datagrams"),
                ]
            },
            Test(measure: 5, order: .datagrams(bytes: 512, window: 32, seconds: scale.seconds)) { result, cost in
                [
                    Figure(key: "udp-rate", value: try result.number("rate"), unit: "/s"),
                    Figure(key: "udp-rate-lost", value: try result.number("lost"), unit: "datagrams"),
                ] + cost.figures(per: "100k-datagrams", try result.number("count") / 1e5)
            },
        ]
    }
}

extension Requests.Figure {
    fileprivate static let relaysPrefix = "cpu-per-"

    /// Whether it is of the programs between the two hosts, which plain routing has none of.
    fileprivate var isOfRelays: Bool { key.hasPrefix(Self.relaysPrefix) }
}

extension Lane.Cost {
    /// Processor seconds of the relays, and of the whole machine, other programs and the load included.
    fileprivate func figures(per unit: String, _ amount: Double) -> [Requests.Figure] {
        guard amount > 0 else { return [] }
        return [
            Requests.Figure(key: "\(Requests.Figure.relaysPrefix)\(unit)", value: relays / amount, unit: "s"),
            Requests.Figure(key: "machine-per-\(unit)", value: machine / amount, unit: "s"),
        ]
    }
}

extension LoadResult {
    /// A number that every such result has.
    func number(_ name: String) throws -> Double {
        guard let value = self[name] else { throw BenchError("the load did not tell its \(name)") }
        return value
    }
}

extension LoadOrder {
    fileprivate var isDatagrams: Bool { if case .datagrams = self { true } else { false } }
}
