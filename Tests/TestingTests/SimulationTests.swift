import NIOCore
import Testing
import VersionKitModel
import VersionKitProxy
import VersionKitTesting

@Suite("Simulation")
struct SimulationTests {
    /// Four clients with twenty requests each, of these kinds.
    private func clients(_ verbs: [String], seed: UInt64) -> [String: [ByteBuffer]] {
        var random = SeededGenerator(seed: seed &+ 1_000_000)
        var clients: [String: [ByteBuffer]] = [:]
        for client in 1...4 {
            clients["client\(client)"] = (0..<20).map { number in
                var key = "key\(Int.random(in: 0..<4, using: &random))"
                var verb = verbs.randomElement(using: &random) ?? "get"
                if verb == "both" {
                    verb = "add"
                    key += ",other\(Int.random(in: 0..<4, using: &random))"
                }
                let rest = ["move": " key0", "flush": "", "get": "", "roll": ""][verb] ?? " \(client * 100 + number)"
                return ByteBuffer(string: "\(verb) \(key)\(rest)\n")
            }
        }
        return clients
    }

    /// Each seed in turn has requests parsed, in runs, and in runs on shared connections.
    private func simulation(
        _ seed: UInt64, _ faults: Faults = Faults(), bringsUpToDate: Bool = true, limits: Limits = .standard
    ) -> Simulation<StoreAdapter, StoreModel> {
        let ways = StoreAdapter.Way.allCases
        let adapter = StoreAdapter(way: ways[Int(seed) % ways.count])
        var simulation = Simulation(
            adapter, versions: [1: StoreModel(chance: 1), 2: StoreModel(chance: 2)], faults: faults,
            bringsUpToDate: bringsUpToDate, limits: limits, seed: seed)
        simulation.proxy.sharesConnections = adapter.way == .shared
        return simulation
    }

    /// What a proxy can find out about in this protocol.
    private var faults: Faults {
        var faults = Faults()
        (faults.lostBefore, faults.lostAfter, faults.refused) = (3, 3, 3)
        faults.refusal = ByteBuffer(string: "error refused\n")
        return faults
    }

    private static let all = ["set", "add", "get", "move", "flush", "roll"]

    @Test("few lines are enough for a simulation")
    func smallest() throws {
        let models = [1: StoreModel(chance: 1), 2: StoreModel(chance: 2)] as [Version: StoreModel]
        var simulation = Simulation(StoreAdapter(), versions: models, seed: 7)
        let requests = ["client1": ["set a 1\n", "get a\n"], "client2": ["set a 2\n"]]
        try simulation.run(clients: requests.mapValues { $0.map { ByteBuffer(string: $0) } })
        #expect(simulation.versions[1] == simulation.versions[2])
    }

    @Test("whatever the order of events, both versions do the writes to a key in one order", arguments: Seeds.few(15))
    func sameOrder(_ seed: UInt64) throws {
        var simulation = simulation(seed, bringsUpToDate: false)
        try simulation.run(clients: clients(["set", "add", "get", "move", "flush"], seed: seed))
        #expect(simulation.versions[1] == simulation.versions[2])
        #expect(simulation.proxy.answered.all == 80)
        #expect(simulation.proxy.answered.failed == 0)
        #expect(simulation.proxy.missed.isEmpty)
    }

    @Test("without the order of writes, versions come to differ: the simulation would find it")
    func withoutOrder() throws {
        let differing = try (0..<20).filter { seed in
            var simulation = simulation(UInt64(seed))
            simulation.proxy.ordersWrites = false
            try simulation.run(clients: clients(["add"], seed: UInt64(seed)))
            return simulation.versions[1] != simulation.versions[2]
        }
        #expect(!differing.isEmpty)
    }

    @Test(
        "whatever is lost, damaged or doubled, everybody is answered and no difference is forgotten",
        arguments: Seeds.few(30))
    func forgetsNothing(_ seed: UInt64) throws {
        var faults = Faults()
        (faults.lostBefore, faults.lostAfter, faults.garbage, faults.twice) = (2, 2, 2, 2)
        var simulation = simulation(seed, faults, bringsUpToDate: false)
        try simulation.run(clients: clients(["set", "add", "get"], seed: seed))
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

    @Test("whatever is lost or refused, in the end versions are the same", arguments: Seeds.few(30))
    func becomesEqual(_ seed: UInt64) throws {
        var simulation = simulation(seed, faults)
        try simulation.run(clients: clients(Self.all, seed: seed))
        #expect(simulation.proxy.answered.all == 80)
        #expect(simulation.versions[1] == simulation.versions[2], "seed \(seed)")
        #expect(simulation.proxy.diverged.isEmpty)
    }

    @Test("when more is missed than is kept, all keys are compared", arguments: Seeds.few(15))
    func overflows(_ seed: UInt64) throws {
        var limits = Limits.standard
        limits.catchUpEntriesMax = 2
        limits.copiedKeysMax = 1
        var simulation = simulation(seed, faults, limits: limits)
        try simulation.run(clients: clients(Self.all, seed: seed))
        #expect(simulation.versions[1] == simulation.versions[2], "seed \(seed)")
    }

    @Test("what was acknowledged is there, once, and what failed is not there twice", arguments: Seeds.few(30))
    func acknowledged(_ seed: UInt64) throws {
        var simulation = simulation(seed, faults)
        let clients = clients(["add"], seed: seed)
        try simulation.run(clients: clients)
        try expectAcknowledged(clients, in: simulation, seed)
        #expect(simulation.versions[1] == simulation.versions[2], "seed \(seed)")
    }

    /// All that a proxy can meet while it serves.
    private var troubles: Faults {
        var faults = faults
        (faults.catchUpLost, faults.distrusted) = (10, 4)
        return faults
    }

    @Test(
        "whoever is distrusted, and whatever fails of catching up, in the end versions are the same",
        arguments: Seeds.few(30))
    func becomesEqualInTrouble(_ seed: UInt64) throws {
        var simulation = simulation(seed, troubles)
        try simulation.run(clients: clients(Self.all + ["both"], seed: seed))
        #expect(simulation.proxy.answered.all == 80)
        #expect(simulation.versions[1] == simulation.versions[2], "seed \(seed)")
        #expect(simulation.proxy.diverged.isEmpty)
    }

    @Test(
        "whoever is distrusted, and whatever fails of catching up, what was acknowledged is there, of each key",
        arguments: Seeds.few(30))
    func acknowledgedInTrouble(_ seed: UInt64) throws {
        var simulation = simulation(seed, troubles)
        let clients = clients(["add", "both"], seed: seed)
        try simulation.run(clients: clients)
        try expectAcknowledged(clients, in: simulation, seed)
        #expect(simulation.versions[1] == simulation.versions[2], "seed \(seed)")
    }

    @Test(
        "a version that is filled, and the one that retires after it, lose nothing that was acknowledged",
        arguments: Seeds.few(30))
    func upgraded(_ seed: UInt64) throws {
        var simulation = simulation(seed, troubles)
        simulation.proxy.change([1])
        simulation.stages = [
            Self.list([(1, .full), (2, .filling)]), [1, 2], Self.list([(1, .writesOnly), (2, .full)]), [1, 2],
            Self.list([(1, .writesOnly), (2, .full)]), [2],
        ]
        let clients = clients(["add", "both", "get"], seed: seed)
        try simulation.run(clients: clients)
        #expect(simulation.stages.isEmpty)
        try expectAcknowledged(clients, in: simulation, seed)
    }

    private static func list(_ roles: [(Version, VersionList.Role)]) -> VersionList {
        var list = VersionList()
        for (version, role) in roles { list.insert(version, role: role) }
        return list
    }

    /// Compares what clients were told of their adds with what version 2 has.
    private func expectAcknowledged(
        _ clients: [String: [ByteBuffer]], in simulation: Simulation<StoreAdapter, StoreModel>, _ seed: UInt64
    ) throws {
        let numbers = try #require(simulation.versions[2]).numbers
        for (client, requests) in clients {
            let replies = String(buffer: simulation.received[client] ?? ByteBuffer()).split(separator: "\n")
            try #require(replies.count == requests.count)
            for (request, reply) in zip(requests, replies) {
                let words = String(buffer: request).split(whereSeparator: \.isWhitespace).map(String.init)
                for key in words[1].split(separator: ",").map(String.init) where words[0] == "add" {
                    let count = numbers[key, default: []].count { "\($0)" == words[2] }
                    #expect(reply == "ok" ? count == 1 : count <= 1, "\(words), \(reply), \(count) times, seed \(seed)")
                }
            }
        }
    }
}
