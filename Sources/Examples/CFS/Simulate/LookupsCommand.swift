import ArgumentParser
import CFSRing
import CFSSimulation
import Foundation

/// How many nodes are asked for a lookup.
struct LookupsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lookups",
        abstract: "Lets nodes join a ring one by one, and counts how many nodes a lookup asks.")

    @Option(help: "Nodes of the ring.") var nodes = 1000
    @Option(help: "Lookups to count.") var lookups = 10_000
    @Option(help: "Seed of the run.") var seed: UInt64 = 1
    @Option(help: "Share of messages lost.") var loss = 0.0
    @Option(help: "Simulated seconds after the last join.") var settle = 900
    @Option(help: "Generation of the nodes: 1 or 2.", transform: Generation.named) var generation = Generation.first
    @Flag(help: "Ways as on the Internet, instead of straight ones.") var realistic = false

    func run() {
        var network = realistic ? Network.realistic : Network()
        network.loss = loss
        var ring = RingSimulation(seed: seed, network: network, parameters: generation.chord)
        let began = ContinuousClock().now
        ring.grow(to: nodes, settle: .seconds(settle))
        let state = ring.correctness()
        print(
            "lookups: \(state.nodes) nodes after \(ring.elapsed.components.seconds) s: successors right \(state.successors), "
                + "lists \(state.lists), predecessors \(state.predecessors), fingers "
                + String(format: "%.2f %%", 100 * state.fingers))
        let log = log2(Double(nodes))
        for (name, wanted) in [("one successor", Int?.none), ("14 successors", 14)] {
            let hops = ring.measureLookups(lookups, wanted: wanted)
            print(
                "\(name): mean \(String(format: "%.2f hops, %.3f log2 N", hops.mean, hops.mean / log)), "
                    + "longest \(hops.histogram.keys.max() ?? 0), right \(hops.right), wrong \(hops.wrong), failed \(hops.failed); "
                    + "median \(hops.time(of: 0.5) / .milliseconds(1)) ms, 90 % \(hops.time(of: 0.9) / .milliseconds(1)) ms"
            )
        }
        let took = ContinuousClock().now - began
        print("\(ring.requests) requests simulated in \(took.components.seconds) s, seed \(seed)")
    }
}
