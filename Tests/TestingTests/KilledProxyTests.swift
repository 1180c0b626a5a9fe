import NIOCore
import Testing
import VersionKitModel
import VersionKitProxy
import VersionKitTesting

/// A proxy that is killed at any point, and started anew with what it wrote down.
///
/// Method: clients add numbers to keys, so what is lost shows, and what is done twice. What was acknowledged is compared
/// with what the newest version has in the end.
@Suite("Simulation of a proxy that is killed")
struct KilledProxyTests {
    private func clients(seed: UInt64) -> [String: [ByteBuffer]] {
        var random = SeededGenerator(seed: seed &+ 2_000_000)
        var clients: [String: [ByteBuffer]] = [:]
        for client in 1...4 {
            clients["client\(client)"] = (0..<20).map { number in
                let keys = [
                    "key\(Int.random(in: 0..<4, using: &random))", "other\(Int.random(in: 0..<4, using: &random))",
                ]
                let key = Bool.random(using: &random) ? keys[0] : keys.joined(separator: ",")
                return ByteBuffer(string: "add \(key) \(client * 100 + number)\n")
            }
        }
        return clients
    }

    private func simulation(_ seed: UInt64, versions: Int = 2, troubled: Int = 4) -> Simulation<
        StoreAdapter, StoreModel
    > {
        var faults = Faults()
        (faults.lostBefore, faults.lostAfter, faults.refused) = (troubled, troubled, troubled)
        (faults.catchUpLost, faults.distrusted, faults.killed) = (10, 2, 6)
        faults.refusal = ByteBuffer(string: "error refused\n")
        let ways = StoreAdapter.Way.allCases
        let adapter = StoreAdapter(way: ways[Int(seed) % ways.count])
        var models: [Version: StoreModel] = [1: StoreModel(chance: 1), 2: StoreModel(chance: 2)]
        if versions > 2 { models[3] = StoreModel(chance: 3) }
        var simulation = Simulation(adapter, versions: models, faults: faults, seed: seed)
        simulation.proxy.sharesConnections = adapter.way == .shared
        return simulation
    }

    /// The adds that a version has another number of times than clients were told.
    private func wrong(_ simulation: Simulation<StoreAdapter, StoreModel>, at version: Version) throws -> [String] {
        let numbers = try #require(simulation.versions[version]).numbers
        return simulation.conversations.flatMap { asked, received in
            let replies = String(buffer: received).split(separator: "\n")
            return asked.enumerated().flatMap { index, request in
                let words = String(buffer: request).split(whereSeparator: \.isWhitespace).map(String.init)
                let isDone = index < replies.count && replies[index] == "ok"
                return words[1].split(separator: ",").map(String.init).filter { key in
                    let count = numbers[key, default: []].count { "\($0)" == words[2] }
                    return isDone ? count != 1 : count > 1
                }.map { "\(words), \(isDone ? "done" : "not known"), at \($0)" }
            }
        }
    }

    @Test("what was acknowledged is there, once, and in the end versions are the same", arguments: Seeds.few(15))
    func acknowledged(_ seed: UInt64) throws {
        var simulation = simulation(seed)
        try simulation.run(clients: clients(seed: seed))
        let wrong = try wrong(simulation, at: 2)
        #expect(wrong == [], "seed \(seed)")
        #expect(simulation.versions[1] == simulation.versions[2], "seed \(seed)")
        #expect(simulation.proxy.diverged.isEmpty)
    }

    @Test("so it is with three versions", arguments: Seeds.few(15))
    func three(_ seed: UInt64) throws {
        var simulation = simulation(seed, versions: 3)
        try simulation.run(clients: clients(seed: seed))
        let wrong = try wrong(simulation, at: 3)
        #expect(wrong == [], "seed \(seed)")
        for version: Version in [1, 2] {
            #expect(simulation.versions[version] == simulation.versions[3], "seed \(seed)")
        }
        #expect(simulation.proxy.diverged.isEmpty)
    }

    @Test("so it is during an upgrade", arguments: Seeds.few(10))
    func upgraded(_ seed: UInt64) throws {
        var simulation = simulation(seed)
        simulation.proxy.change([1])
        var (filling, retiring) = (VersionList([1]), VersionList([2]))
        filling.insert(2, role: .filling)
        retiring.insert(1, role: .writesOnly)
        simulation.stages = [filling, [1, 2], retiring, [1, 2], retiring, [2]]
        try simulation.run(clients: clients(seed: seed))
        #expect(simulation.stages.isEmpty)
        let wrong = try wrong(simulation, at: 2)
        #expect(wrong == [], "seed \(seed)")
    }

    @Test("without the keys in the logs, a write is lost that was acknowledged: the simulation would find it")
    func withoutKeys() throws {
        let isFound = try (0..<400 as Range<UInt64>).contains { seed in
            var simulation = simulation(seed, troubled: 10)
            simulation.proxy.logsKeys = false
            // Whether it comes to an end at all does not matter.
            try? simulation.run(clients: clients(seed: seed))
            return try wrong(simulation, at: 2).contains { $0.contains("done") }
        }
        #expect(isFound)
    }
}
