import ArgumentParser
import CFSRing
import CFSSimulation
import Foundation

/// How well a ring does while nodes come and go.
struct ChurnCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "churn", abstract: "Lets nodes come and go all the time, and counts what fails meanwhile.")

    @Option(help: "Nodes of the ring.") var nodes = 300
    @Option(help: "Blocks to store.") var blocks = 300
    @Option(help: "Bytes of a block.") var length = 8192
    @Option(help: "Minutes after which half of the nodes are others.") var halfLife = 60
    @Option(help: "Simulated minutes.") var minutes = 60
    @Option(help: "Share of messages lost.") var loss = 0.01
    @Option(help: "Seed of the run.") var seed: UInt64 = 1
    @Option(
        parsing: .upToNextOption, help: "Generations of nodes.", transform: Generation.named) var generation =
        Generation.allCases
    @OptionGroup var files: FigureFiles

    func run() throws {
        var rows: [String] = []
        var lines: [LineChart.Line] = []
        for generation in generation {
            var network = Network.realistic
            network.loss = loss
            var ring = RingSimulation(
                seed: seed, network: network, parameters: generation.chord, dhash: generation.dhash)
            ring.grow(to: nodes, settle: .seconds(600))
            let (keys, _) = ring.insertBlocks(blocks, length: length)
            let began = ring.elapsed
            let churn = RingSimulation.Churn(halfLife: .seconds(60 * halfLife))
            var (lookups, fetches) = ([(x: Double, y: Double)](), [(x: Double, y: Double)]())
            while ring.elapsed - began < .seconds(60 * minutes) {
                let window = ring.live(through: churn, fetching: keys)
                let lost = ring.lost(of: keys, needed: generation.dhash.needed(length: length))
                let time = (window.end - began) / .seconds(60)
                let median = window.times.sorted().dropFirst(window.times.count / 2).first ?? .zero
                lookups.append((time, window.failedLookups))
                fetches.append((time, window.failedFetches))
                rows.append(
                    "\(generation.rawValue),\(Int(time)),\(window.deaths),\(window.right),\(window.wrong),\(window.failed),"
                        + "\(window.fetched),\(window.missed),\(lost),\(Int(median / .milliseconds(1)))")
                print(
                    "generation \(generation.rawValue), \(Int(time)) min: \(window.deaths) nodes replaced; lookups right "
                        + "\(window.right), wrong \(window.wrong), failed \(window.failed), median "
                        + "\(Int(median / .milliseconds(1))) ms; blocks fetched \(window.fetched), not \(window.missed); "
                        + "lost \(lost) of \(keys.count)")
            }
            lines.append(LineChart.Line(name: "lookups, generation \(generation.rawValue)", points: lookups))
            lines.append(LineChart.Line(name: "blocks, generation \(generation.rawValue)", points: fetches))
        }
        try files.write(
            header: "generation,minutes,deaths,right,wrong,failed,fetched,missed,lost,median_ms", rows: rows,
            chart: LineChart(
                title: "Half of \(nodes) nodes are others after \(halfLife) minutes", xName: "minutes",
                yName: "share failed", lines: lines))
    }
}
