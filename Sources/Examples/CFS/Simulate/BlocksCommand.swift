import ArgumentParser
import CFSRing
import CFSSimulation

/// How many blocks survive when many nodes fail at once.
struct BlocksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "blocks",
        abstract: "Stores blocks, lets nodes fail at once, waits for repair, and fetches every block.")

    @Option(help: "Nodes of the ring.") var nodes = 1000
    @Option(help: "Blocks to store.") var blocks = 10_000
    @Option(help: "Bytes of a block.") var length = 2048
    @Option(help: "Share of the nodes that fail.") var fail = 0.3
    @Option(help: "Seed of the run.") var seed: UInt64 = 1
    @Option(help: "Share of messages lost.") var loss = 0.0
    @Option(help: "Simulated seconds for repair.") var repair = 4800

    func run() {
        var network = Network()
        network.loss = loss
        var ring = RingSimulation(seed: seed, network: network)
        let clock = ContinuousClock()
        let began = clock.now
        ring.grow(to: nodes, settle: .seconds(300))
        let needed = DHashParameters().needed(length: length)
        let (keys, stored) = ring.insertBlocks(blocks, length: length)
        print("blocks: \(nodes) nodes, \(blocks) blocks of \(length) bytes, \(needed) of 14 fragments needed")
        print("stored: \(stored.succeeded), failures \(stored.failures), open \(stored.open)")
        report(ring, keys, needed)

        for index in ring.randomLiving(Int(Double(nodes) * fail)) { ring.kill(index) }
        print("\(ring.living.count) nodes left")
        let lost = report(ring, keys, needed)
        for minute in stride(from: 0, to: repair, by: 1200) {
            ring.run(for: .seconds(min(1200, repair - minute)))
            print("after \((minute + 1200) / 60) minutes, fragments made \(ring.counters().repaired): ", terminator: "")
            report(ring, keys, needed)
        }
        let fetched = ring.fetchBlocks(keys)
        print(
            "fetched: \(fetched.succeeded) of \(keys.count), failures \(fetched.failures), open \(fetched.open); "
                + "beyond repair at once: \(lost)")
        print("\(ring.requests) requests simulated in \((clock.now - began).components.seconds) s, seed \(seed)")
    }

    /// Prints how many fragments blocks have, and returns for how many they are too few.
    @discardableResult
    private func report(_ ring: RingSimulation, _ keys: [BlockKey], _ needed: Int) -> Int {
        let counts = ring.fragments(of: keys).sorted()
        let lost = counts.prefix { $0 < needed }.count
        guard let fewest = counts.first, let most = counts.last else { return 0 }
        print(
            "fragments of a block: \(fewest) to \(most), median \(counts[counts.count / 2]); too few for \(lost) blocks"
        )
        return lost
    }
}
