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
    let repeats: Int
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

    /// Stores and fetches, other blocks each time, and tells the medians.
    ///
    /// - Parameter prefix: what the rows begin with.
    func measure(_ prefix: String = "") async throws {
        _ = try await run(seed: 0, blocks: min(blocks, Self.warmingBlocks))
        let before = try Busy()
        var phases: [Phase] = []
        for seed in 1...repeats { phases += try await run(seed: seed, blocks: blocks) }
        let after = try Busy()
        for (phase, name) in [("store", "write"), ("fetch", "read")] {
            let found = phases.filter { $0.phase == phase }
            func median(_ value: (Phase) -> Double) -> Double {
                let sorted = found.map(value).sorted()
                return sorted.isEmpty ? 0 : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
            }
            tell("\(prefix)\(name)", median(\.megabytesPerSecond), "MB/s")
            tell("\(prefix)\(name): blocks", median(\.blocksPerSecond), "blocks/s")
            tell("\(prefix)\(name): p50", median(\.latency.p50), "ms")
            tell("\(prefix)\(name): p99", median(\.latency.p99), "ms")
            tell("\(prefix)\(name): hops", median(\.hops), "hops")
            tell(
                "\(prefix)\(name): tried again", Double(found.reduce(0) { $0 + $1.clientRetries + $1.nodeRetries }), "")
        }
        tell("\(prefix)processors busy with anything", 100 * after.share(since: before), "%")
        // Each block is stored once and fetched once.
        let count = Double(blocks * repeats)
        for (program, seconds) in after.seconds(since: before) {
            tell("\(prefix)processor time of \(program)", 1000 * seconds / count, "ms/block")
        }
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
