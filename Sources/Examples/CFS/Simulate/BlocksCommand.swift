import ArgumentParser
import CFSRing
import CFSSimulation

/// How many blocks survive when many nodes fail at once.
struct BlocksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "blocks",
        abstract: "Stores blocks, lets nodes fail at once, waits for repair, and fetches every block.",
        discussion: "A block counts as lost when it cannot be fetched in the end.")

    @Option(help: "Nodes of the ring.") var nodes = 1000
    @Option(help: "Blocks to store.") var blocks = 10_000
    @Option(help: "Bytes of a block.") var length = 2048
    @Option(help: "Share of the nodes that fail.") var fail = 0.3
    @Option(help: "Seed of the run.") var seed: UInt64 = 1
    @Option(help: "Share of messages lost.") var loss = 0.0
    @Option(help: "Simulated seconds for repair.") var repair = 4800
    @Option(parsing: .upToNextOption, help: "Generations of nodes: 1, 2 or both.", transform: Generation.named)
    var generation = [Generation.first]
    @OptionGroup var files: FigureFiles

    /// Simulated seconds between two looks at what there is.
    private static let step = 1200

    func validate() throws {
        guard nodes > 1, blocks > 0, length > 0, repair >= 0, (0..<1).contains(fail) else {
            throw ValidationError("a ring has nodes, blocks and bytes, and some of its nodes are left")
        }
    }

    func run() async throws {
        let found = await inParallel(generation) { simulate($0) }
        let runs = generation.compactMap { found[$0] }
        for run in runs { print(run.text.joined(separator: "\n")) }
        let lines = runs.flatMap { run in
            [("fewest", \BlocksRun.Fragments.fewest), ("median", \.median)].map { name, value in
                LineChart.Line(
                    name: "generation \(run.generation.rawValue), \(name)",
                    points: run.fragments.map { (Double($0.minutes), Double($0[keyPath: value])) })
            }
        }
        try files.write(
            header: BlocksRun.header, rows: runs.flatMap(\.rows),
            chart: LineChart(
                title: "Fragments of a block after \(Int((fail * 100).rounded())) % of \(nodes) nodes failed",
                xName: "minutes", yName: "fragments", lines: lines))
    }

    private func simulate(_ generation: Generation) -> BlocksRun {
        var network = Network()
        network.loss = loss
        var ring = RingSimulation(
            seed: seed, network: network, parameters: generation.chord, dhash: generation.dhash)
        ring.grow(to: nodes, settle: .seconds(300))
        let needed = generation.dhash.needed(length: length)
        let (keys, stored) = ring.insertBlocks(blocks, length: length)
        var run = BlocksRun(generation, blocks: keys.count, length: length, needed: needed)
        run.say(
            "generation \(generation.rawValue): \(nodes) nodes, \(blocks) blocks of \(length) bytes, \(needed) of "
                + "\(generation.dhash.fragments) fragments needed")
        run.say("stored: \(stored.succeeded), failures \(stored.failures), open \(stored.open)")
        run.look(at: ring.fragments(of: keys))

        for index in ring.randomLiving(Int(Double(nodes) * fail)) { ring.kill(index) }
        run.say("\(ring.living.count) nodes left")
        run.look(at: ring.fragments(of: keys), minutes: 0)
        for second in stride(from: 0, to: repair, by: Self.step) {
            let step = min(Self.step, repair - second)
            ring.run(for: .seconds(step))
            run.say("after \((second + step) / 60) minutes, fragments made \(ring.counters().repaired):")
            run.look(at: ring.fragments(of: keys), minutes: (second + step) / 60)
        }
        let fetched = ring.fetchBlocks(keys)
        run.fetched = fetched.succeeded
        run.say("fetched: \(fetched.succeeded) of \(keys.count), failures \(fetched.failures), open \(fetched.open)")
        run.say("\(ring.requests) requests simulated, seed \(seed)")
        return run
    }
}
