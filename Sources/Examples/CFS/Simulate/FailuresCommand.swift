import ArgumentParser
import CFSRing
import CFSSimulation
import Foundation

/// What share of lookups and fetches fails when a share of the nodes fails at once, before anybody noticed.
struct FailuresCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failures",
        abstract: "Lets shares of the nodes fail at once, and counts what fails before the ring has noticed.")

    @Option(help: "Nodes of the ring.") var nodes = 1000
    @Option(help: "Blocks to store.") var blocks = 1000
    @Option(help: "Bytes of a block.") var length = 8192
    @Option(parsing: .upToNextOption, help: "Shares of the nodes that fail.") var shares = [0.1, 0.2, 0.3, 0.4, 0.5]
    @Option(help: "Lookups after each failure.") var lookups = 1000
    @Option(help: "Seed of the runs.") var seed: UInt64 = 1
    @OptionGroup var files: FigureFiles

    func run() throws {
        var rows: [String] = []
        var lines: [LineChart.Line] = []
        for generation in Generation.allCases {
            var whole = RingSimulation(
                seed: seed, network: .realistic, parameters: generation.chord, dhash: generation.dhash)
            whole.grow(to: nodes, settle: .seconds(600))
            let (keys, _) = whole.insertBlocks(blocks, length: length)
            var (failed, missing) = ([(x: Double, y: Double)](), [(x: Double, y: Double)]())
            for share in shares {
                var ring = whole
                for index in ring.randomLiving(Int(Double(nodes) * share)) { ring.kill(index) }
                let lost = ring.lost(of: keys, needed: generation.dhash.needed(length: length))
                // A copy each, so that none has learnt from the other.
                var other = ring
                let hops = ring.measureLookups(lookups)
                let fetched = other.fetchBlocks(keys)
                let failedShare = Double(hops.failed + hops.wrong) / Double(hops.count)
                let missingShare = Double(keys.count - fetched.succeeded) / Double(max(1, keys.count))
                failed.append((share, failedShare))
                missing.append((share, missingShare))
                let late = Int(hops.time(of: 0.9) / .milliseconds(1))
                rows.append(
                    "\(generation.rawValue),\(share),\(failedShare),\(missingShare),\(lost),\(keys.count),\(late)")
                print(
                    "generation \(generation.rawValue), \(share) of \(nodes) nodes fail: lookups failed or wrong "
                        + String(format: "%.4f, blocks not fetched %.4f, ", failedShare, missingShare)
                        + "lost for ever \(lost) of \(keys.count); 90 % of lookups in \(late) ms")
            }
            lines.append(LineChart.Line(name: "lookups, generation \(generation.rawValue)", points: failed))
            lines.append(LineChart.Line(name: "blocks, generation \(generation.rawValue)", points: missing))
        }
        try files.write(
            header: "generation,failed_nodes,failed_lookups,failed_fetches,blocks_lost,blocks,lookup_ninety_ms",
            rows: rows,
            chart: LineChart(
                title: "What fails when nodes fail at once", xName: "share of nodes", yName: "share failed",
                lines: lines, isByRank: true))
    }
}
