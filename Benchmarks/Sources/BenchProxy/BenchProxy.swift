import ArgumentParser
import BenchFigures
import BenchPrograms
import CLeastProxy
import CResponder
import Foundation
import Glibc

/// Measures the application proxy beside its peers.
@main
struct BenchProxy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-proxy",
        abstract: "Measures the application proxy beside Envoy, HAProxy and nginx, in the same run.",
        discussion: """
            Measures:
              1  latency of one client, one version
              2  rate of 50 clients, one version
              3  rate of 50 clients, writes to two versions
              4  writes lost when a version is killed and started again
              5  memory of idle connections
              6  size of the adapters

            Examples:
              scripts/bench-proxy
              scripts/bench-proxy --quick
              scripts/bench-proxy --only 1,3 --rounds 9
              scripts/bench-proxy --json >result.json

            Results go to stdout, progress to stderr, and the raw numbers to Benchmarks/results/bench-proxy.csv. The
            last line says how many goals were met; with --json it goes to stderr.

            Exit status: 0 everything was measured, whether goals are met or not; 1 something could not be measured;
            64 wrong usage; 69 a program is missing; 129, 130, 143 interrupted by that signal (less 128).
            """)

    private static let measures: [(number: Int, title: String, run: @Sendable (Bench) throws -> Void)] = [
        (1, "latency of one client, one version", Latency.run),
        (2, "rate of 50 clients, one version", Throughput.run),
        (3, "rate of 50 clients, writes to two versions", DualWrites.run),
        (4, "writes lost when a version is killed and started again", ShadowRestart.run),
        (5, "memory of idle connections", IdleMemory.run),
        (6, "size of the adapters", AdapterSize.run),
    ]

    @Option(help: "How often everything is measured (default: 5; 1 with --quick).")
    var rounds: Int?

    @Option(help: "Only these measures, as in 1,3.")
    var only: String?

    @Flag(help: "Small counts: shows that everything works, proves nothing.")
    var quick = false

    @Flag(help: "Print the result as JSON.")
    var json = false

    @Option(help: "The root of the repository.")
    var root = "."

    @Option(help: "Our proxy, from the root of the repository.")
    var proxy = ".build/release/redis-proxy"

    @Option(help: "Envoy, from the root of the repository.")
    var envoy = ".build/peers/envoy/envoy/_bin/envoy"

    @Option(help: ArgumentHelp("Answer every request on this port, and measure nothing.", visibility: .hidden))
    var respond: UInt16?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Be the least proxy on the first port for the servers on the others, and measure nothing.",
            visibility: .hidden))
    var leastProxy: [UInt16] = []

    func validate() throws {
        guard rounds ?? 1 > 0 else { throw ValidationError("--rounds needs at least 1.") }
        _ = try chosen()
    }

    func run() throws {
        if let respond {
            responder_run(respond)
            throw BenchError.system("answer on port \(respond)")
        }
        if let port = leastProxy.first {
            let servers = Array(leastProxy.dropFirst())
            least_proxy_run(port, servers, Int32(servers.count))
        }
        Interruption.watch()
        do {
            Children.exitAll(try measure())
        } catch {
            FileHandle.standardError.write(Data("bench-proxy: \(error)\n".utf8))
            Children.exitAll(EX_UNAVAILABLE)
        }
    }

    /// - Returns: the exit status.
    private func measure() throws -> Int32 {
        let chosen = try chosen()
        var scale = Scale(rounds: rounds, isQuick: quick)
        let wanted = scale.connections
        scale.connections = FileLimit.raise(for: wanted)
        let tools = chosen == [6] ? Tools() : try Tools(proxy: path(proxy), envoy: path(envoy))
        let bench = try Bench(tools: tools, scale: scale, root: path(""))
        if chosen.contains(5), scale.connections < wanted {
            bench.say("The limit of open files (ulimit -n) allows \(scale.connections) connections, not \(wanted).")
        }
        var failures: [String] = []
        for measure in Self.measures where chosen.contains(measure.number) {
            bench.say("\(measure.number). \(measure.title)")
            do {
                try measure.run(bench)
            } catch {
                // The figures of the other measures are worth having all the same.
                failures.append("measure \(measure.number): \(error)")
                bench.say("  \(error)")
            }
            Children.stopAll()
        }
        try File.makeFolder(path("Benchmarks/results"))
        try File.write(bench.observations.csv, to: path("Benchmarks/results/bench-proxy.csv"))
        let report = Report(
            ProxyGoals.all(of: chosen), bench.observations, unavailable: bench.unavailable)
        try show(report)
        for failure in failures { bench.say("bench-proxy: \(failure)") }
        return report.isComplete && failures.isEmpty ? 0 : 1
    }

    private func show(_ report: Report) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            print(String(decoding: try encoder.encode(report), as: UTF8.self))
            FileHandle.standardError.write(Data("\(report.verdict)\n".utf8))
        } else {
            print(report.medianTable, report.goalTable, report.verdict, separator: "\n\n")
        }
    }

    private func chosen() throws -> Set<Int> {
        guard let only else { return Set(Self.measures.map(\.number)) }
        let numbers = only.split(separator: ",").map { Int($0.trimmingCharacters(in: .whitespaces)) }
        let known = numbers.compactMap(\.self).filter { number in Self.measures.contains { $0.number == number } }
        guard !numbers.isEmpty, known.count == numbers.count else {
            throw ValidationError("--only takes numbers from 1 to \(Self.measures.count), as in 1,3; not '\(only)'.")
        }
        return Set(known)
    }

    private func path(_ path: String) -> String {
        path.hasPrefix("/") ? path : URL(fileURLWithPath: root).appendingPathComponent(path).path
    }
}
