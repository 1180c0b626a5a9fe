import BenchDriver
import ExampleFleet
import FoundationEssentials
import Glibc
import VersionKitTestbed

/// Runs `cfs-dbm` again and again on a host, and tells what it found.
struct DBM {
    /// What is stored first, so that nodes know each other and their gateways: nobody measures that.
    private static let warmingBlocks = 128

    let host: TestbedHost
    let programs: String
    let directory: String
    /// Where the gateway is, as `cfs-dbm` is told.
    let gateway: String
    let blocks: Int
    let concurrency: Int
    /// `2004` or `2008`.
    var form = "2004"

    /// A line of its results.
    private struct Phase: Decodable {
        struct Latency: Decodable { var p50, p99: Double }

        var phase: String
        var megabytesPerSecond, blocksPerSecond, hops: Double
        var latency: Latency
        var clientRetries, nodeRetries: Int
    }

    /// What was found in all turns of a client.
    private struct Tally {
        var phases: [Phase] = []
        var shares: [Double] = []
        var seconds: [String: Double] = [:]
    }

    /// Stores and fetches, other blocks each time, and tells the medians.
    ///
    /// Clients take turns: what slows the machine down for minutes slows all of them down.
    ///
    /// - Parameters:
    ///   - clients: with what their rows begin with.
    ///   - repeats: turns of each.
    ///   - firstSeed: which blocks; others than they have.
    static func measure(_ clients: [(prefix: String, dbm: DBM)], repeats: Int, firstSeed: Int = 1) async throws {
        var tallies = clients.map { _ in Tally() }
        for (_, dbm) in clients {
            _ = try await dbm.run(seed: firstSeed - 1, blocks: min(dbm.blocks, Self.warmingBlocks))
        }
        for turn in 0..<repeats {
            // Nobody is always the one after another one.
            let places = turn % 2 == 0 ? Array(clients.indices) : clients.indices.reversed()
            for place in places { try await clients[place].dbm.take(turn: firstSeed + turn, &tallies[place]) }
        }
        for ((prefix, dbm), tally) in zip(clients, tallies) { dbm.tellAll(tally, prefix, turns: repeats) }
    }

    private func take(turn seed: Int, _ tally: inout Tally) async throws {
        let before = try Busy()
        tally.phases += try await run(seed: seed, blocks: blocks)
        let after = try Busy()
        tally.shares.append(after.share(since: before))
        tally.seconds.merge(after.seconds(since: before), uniquingKeysWith: +)
    }

    private func tellAll(_ tally: Tally, _ prefix: String, turns: Int) {
        for (phase, name) in [("store", "write"), ("fetch", "read")] {
            let found = tally.phases.filter { $0.phase == phase }
            func median(_ value: (Phase) -> Double) -> Double { Self.median(found.map(value)) }
            tell("\(prefix)\(name)", median(\.megabytesPerSecond), "MB/s")
            tell("\(prefix)\(name): blocks", median(\.blocksPerSecond), "blocks/s")
            tell("\(prefix)\(name): p50", median(\.latency.p50), "ms")
            tell("\(prefix)\(name): p99", median(\.latency.p99), "ms")
            tell("\(prefix)\(name): hops", median(\.hops), "hops")
            tell(
                "\(prefix)\(name): tried again", Double(found.reduce(0) { $0 + $1.clientRetries + $1.nodeRetries }), "")
        }
        tell("\(prefix)processors busy with anything", 100 * Self.median(tally.shares), "%")
        // Each block is stored once and fetched once.
        let count = Double(blocks * turns)
        for (program, seconds) in tally.seconds.sorted(by: { $0.key < $1.key }) {
            tell("\(prefix)processor time of \(program)", 1000 * seconds / count, "ms/block")
        }
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    private func run(seed: Int, blocks: Int) async throws -> [Phase] {
        let (output, errors) = ("\(directory)/dbm.json", "\(directory)/dbm.errors")
        // Otherwise it writes behind what the one before it wrote.
        for file in [output, errors] { unlink(file) }
        let process = try host.spawn(
            "\(programs)/cfs-dbm",
            [
                "both", "--json", "--gateway", gateway, "--form", form, "--blocks", "\(blocks)", "--seed", "\(seed)",
                "--concurrency", "\(concurrency)",
            ], output: .file(output), errors: .file(errors))
        let exit = try await process.wait()
        let lines = try String(contentsOfFile: output, encoding: .utf8)
        guard exit.isSuccess else {
            let why = (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
            throw FleetError("cfs-dbm at \(gateway): \(exit): \(lines.suffix(600)) \(why.suffix(300))")
        }
        return try lines.split(separator: "\n").map { try JSONDecoder().decode(Phase.self, from: Data($0.utf8)) }
    }
}
