import NIOCore
import Testing
import VersionKitModel
import VersionKitProxy
import VersionKitTesting

@Suite("Simulation")
struct SimulationTests {
    private func requests(_ client: Int) -> [ByteBuffer] {
        (0..<20).map { ByteBuffer(string: "\($0 % 3 == 0 ? "set" : "add") key\($0 % 4) \(client * 100 + $0)\n") }
    }

    private func simulation(_ seed: UInt64, _ faults: Faults = Faults()) -> Simulation<StoreAdapter, StoreModel> {
        Simulation(StoreAdapter(), versions: [1: StoreModel(), 2: StoreModel()], faults: faults, seed: seed)
    }

    private var clients: [String: [ByteBuffer]] {
        Dictionary(uniqueKeysWithValues: (1...4).map { ("client\($0)", requests($0)) })
    }

    @Test("whatever the order of events, both versions do the writes to a key in one order", arguments: 0..<15)
    func sameOrder(_ seed: UInt64) throws {
        var simulation = simulation(seed)
        try simulation.run(clients: clients)
        #expect(simulation.versions[1] == simulation.versions[2])
        #expect(simulation.proxy.answered.all == 80)
        #expect(simulation.proxy.missed.isEmpty)
    }

    @Test("without the order of writes, versions come to differ: the simulation would find it")
    func withoutOrder() throws {
        let differing = try (0..<20).filter { seed in
            var simulation = simulation(UInt64(seed))
            simulation.proxy.ordersWrites = false
            try simulation.run(clients: clients)
            return simulation.versions[1] != simulation.versions[2]
        }
        #expect(!differing.isEmpty)
    }

    @Test(
        "whatever is lost, damaged or doubled, everybody is answered and no difference is forgotten", arguments: 0..<30)
    func faults(_ seed: UInt64) throws {
        var faults = Faults()
        (faults.lostBefore, faults.lostAfter, faults.garbage, faults.twice) = (2, 2, 2, 2)
        var simulation = simulation(seed, faults)
        try simulation.run(clients: clients)
        #expect(simulation.proxy.answered.all == 80)
        // Where they differ, the difference is on the list of what a version missed.
        let (one, two) = (try #require(simulation.versions[1]), try #require(simulation.versions[2]))
        for key in Set(one.numbers.keys).union(two.numbers.keys) where one.numbers[key] != two.numbers[key] {
            let name = ByteBuffer(string: key)
            #expect(
                simulation.proxy.missed.values.joined().contains { $0.keys.names?.contains(name) == true },
                "\(key) differs, seed \(seed)")
        }
    }
}
