import ArgumentParser
import CFSSimulation
import Foundation

/// Hops and times of lookups by the number of nodes, of both generations.
struct HopsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hops", abstract: "Counts hops of lookups on rings of several sizes, of both generations.",
        discussion: "Rings are grown beside each other, as many as there are processors.")

    @Option(parsing: .upToNextOption, help: "Nodes of the rings.") var nodes = [100, 300, 1000, 3000]
    @Option(help: "Lookups on each ring.") var lookups = 5000
    @Option(help: "Seed of the runs.") var seed: UInt64 = 1
    @Option(help: "Simulated seconds after the last join.") var settle = 900
    @OptionGroup var files: FigureFiles

    private struct Ring: Hashable {
        var generation: Generation
        var nodes: Int
    }

    func run() async throws {
        let rings = Generation.allCases.flatMap { generation in nodes.map { Ring(generation: generation, nodes: $0) } }
        // The largest first: at the end nobody waits for one that has just begun.
        let found = await inParallel(rings.sorted { $0.nodes > $1.nodes }) { measure($0) }
        var rows: [String] = []
        for ring in rings {
            guard let hops = found[ring] else { continue }
            let (median, late) = (
                Int(hops.time(of: 0.5) / .milliseconds(1)), Int(hops.time(of: 0.9) / .milliseconds(1))
            )
            let all = Double(max(1, hops.histogram.values.reduce(0, +)))
            for (number, count) in hops.histogram.sorted(by: { $0.key < $1.key }) {
                rows.append(
                    "\(ring.generation.rawValue),\(ring.nodes),\(number),\(Double(count) / all),\(hops.mean),\(median),"
                        + "\(late),\(hops.right),\(hops.wrong),\(hops.failed)")
            }
            print(
                "generation \(ring.generation.rawValue), \(ring.nodes) nodes: "
                    + String(
                        format: "mean %.2f hops, %.3f log2 N; median %d ms, 90 %% %d ms; right %d of %d", hops.mean,
                        hops.mean / log2(Double(ring.nodes)), median, late, hops.right, hops.count))
        }
        let lines = Generation.allCases.map { generation in
            LineChart.Line(
                name: "generation \(generation.rawValue)",
                points: nodes.compactMap { count in
                    found[Ring(generation: generation, nodes: count)].map { (Double(count), $0.mean) }
                })
        }
        let half = LineChart.Line(name: "half of log2 N", points: nodes.map { (Double($0), log2(Double($0)) / 2) })
        try files.write(
            header: "generation,nodes,hops,share,mean,median_ms,ninety_ms,right,wrong,failed", rows: rows,
            chart: LineChart(
                title: "Nodes asked by a lookup", xName: "nodes", yName: "hops, mean", lines: lines + [half],
                isByRank: true))
    }

    private func measure(_ what: Ring) -> RingSimulation.Hops {
        var ring = RingSimulation(seed: seed, network: .realistic, parameters: what.generation.chord)
        ring.grow(to: what.nodes, settle: .seconds(settle))
        return ring.measureLookups(lookups)
    }
}
