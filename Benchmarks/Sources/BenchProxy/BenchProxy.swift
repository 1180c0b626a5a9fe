import ArgumentParser
import BenchCommands
import BenchFigures
import BenchPrograms
import CLeastProxy
import CResponder
import Foundation
import Glibc

/// Measures the application proxy beside its peers.
@main
struct BenchProxy: Benchmark {
    static let configuration = CommandConfiguration(
        commandName: "bench-proxy",
        abstract: "Measures the application proxy beside Envoy, HAProxy and nginx, in the same run.",
        discussion: """
            Measures, in 5 rounds, or in one with --quick:
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

    @OptionGroup var options: BenchOptions

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

    func validate() throws { try options.check(measures: Self.measures.count) }

    func run() throws {
        if let respond {
            responder_run(respond)
            throw BenchError.system("answer on port \(respond)")
        }
        if let port = leastProxy.first {
            let servers = Array(leastProxy.dropFirst())
            least_proxy_run(port, servers, Int32(servers.count))
        }
        measureAndEnd()
    }

    func measure() throws -> Int32 {
        let chosen = try options.chosen(of: Self.measures.count)
        var scale = Scale(rounds: options.rounds(byDefault: 5), isQuick: options.quick)
        let wanted = scale.connections
        scale.connections = FileLimit.raise(for: wanted)
        let tools = chosen == [6] ? Tools() : try Tools(proxy: options.path(proxy), envoy: options.path(envoy))
        let bench = try Bench(tools: tools, scale: scale, root: options.path(""))
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
        try File.write(bench.observations.csv, to: options.result("bench-proxy.csv"))
        let report = Report(
            ProxyGoals.all(of: chosen), bench.observations, unavailable: bench.unavailable)
        try options.show(report)
        for failure in failures { bench.say("bench-proxy: \(failure)") }
        return report.isComplete && failures.isEmpty ? 0 : 1
    }
}
