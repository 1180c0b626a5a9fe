import CFSRing
import CFSSimulation
import Testing

@Suite("Simulated rings")
struct RingSimulationTests {
    @Test("nodes that join one after the other all find their places, and every lookup the right node")
    func growth() {
        var ring = RingSimulation(seed: 1)
        ring.grow(to: 40, settle: .seconds(120))
        let state = ring.correctness()
        #expect(state.isRing && state.nodes == 40)
        let hops = ring.measureLookups(100)
        #expect(hops.right == 100)
        #expect(hops.mean < 3)
    }

    @Test("many nodes that join at once become one ring")
    func crowd() {
        var ring = RingSimulation(seed: 2)
        ring.grow(to: 40, perSecond: 10, settle: .seconds(180))
        #expect(ring.correctness().isRing)
    }

    @Test("a ring that loses messages still finds everything")
    func loss() {
        var network = Network()
        network.loss = 0.02
        var ring = RingSimulation(seed: 3, network: network)
        ring.grow(to: 30, settle: .seconds(150))
        #expect(ring.measureLookups(50).right == 50)
    }

    @Test("after a third died at once the others close the ring")
    func deaths() {
        var ring = RingSimulation(seed: 4)
        ring.grow(to: 45, settle: .seconds(120))
        for index in ring.randomLiving(15) { ring.kill(index) }
        ring.run(for: .seconds(400))
        #expect(ring.correctness().isRing)
        #expect(ring.measureLookups(50).right == 50)
    }

    @Test("the same seed gives the same run")
    func determinism() {
        func run() -> (Int, Double) {
            var ring = RingSimulation(seed: 5)
            ring.grow(to: 12, settle: .seconds(30))
            return (ring.requests, ring.measureLookups(20).mean)
        }
        #expect(run() == run())
    }
}
