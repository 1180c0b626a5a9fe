import ArgumentParser
import BenchCommands
import BenchFigures
import BenchPrograms
import Foundation
import Glibc

/// Measures the version router beside plain routing and its peers.
@main
struct BenchRouter: Benchmark {
    static let configuration = CommandConfiguration(
        commandName: "bench-router",
        abstract: "Measures the version router beside plain routing, HAProxy, nginx and Envoy, in the same run.",
        discussion: """
            Measures, in 5 rounds, or in one with --quick:
              1  latency of one connection
              2  rate of 50 connections, and the relays' processor time
              3  throughput of one connection, and the relays' processor time
              4  connections that carry one message
              5  UDP: latency and rate
              6  UDP datagrams lost while a flow moves to the fast path
              7  memory of idle connections

            Examples:
              scripts/bench-router
              scripts/bench-router --quick
              scripts/bench-router --only 1,3 --rounds 9
              scripts/bench-router --json >result.json

            Results go to stdout, progress to stderr, and the raw numbers to Benchmarks/results/bench-router.csv. The
            last line says how many goals were met; with --json it goes to stderr. What cannot be measured here is said
            to be "not available", with the reason, and counts as not met.

            Exit status: 0 whether goals are met or not; 64 wrong usage; 69 a program is missing, or there can be no
            sandbox; 129, 130, 143 interrupted by that signal (less 128).
            """)

    private static let measures = 7

    @OptionGroup var options: BenchOptions

    @Option(help: "The directory of versiond and versionctl, from the root of the repository.")
    var programs = ".build/release"

    @Option(help: "Envoy, from the root of the repository.")
    var envoy = ".build/peers/envoy/envoy/_bin/envoy"

    func validate() throws { try options.check(measures: Self.measures, roundsMax: BenchRelease.freshPorts.count) }

    func measure() throws -> Int32 {
        guard ProcessInfo.processInfo.environment["VERSIONKIT_SANDBOX"] != nil else {
            throw BenchError("this has to run inside scripts/sandbox; scripts/bench-router sees to it")
        }
        let chosen = try options.chosen(of: Self.measures)
        var scale = Scale(rounds: options.rounds(byDefault: 5), isQuick: options.quick)
        let wanted = scale.connections
        _ = FileLimit.raise(for: 2 * wanted)
        // A relay has two sockets for a connection.
        scale.connections = FileLimit.fitting(wanted, descriptorsEach: 2)
        let load = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/bench-load"
        let tools = try RouterTools(programs: options.path(programs), load: load, envoy: options.path(envoy))
        let bench = try RouterBench(tools: tools, scale: scale, root: options.path(""))
        if chosen.contains(7), scale.connections < wanted {
            bench.say("The limit of open files (ulimit -Hn) allows \(scale.connections) connections, not \(wanted).")
        }
        let release = try BenchRelease.make(bench)
        let lanes = makeLanes(bench, release, measures: chosen)
        Requests.run(bench, lanes, measures: chosen)
        if chosen.contains(6) { Moving.run(bench, lanes) }
        if chosen.contains(7) { measureMemory(bench, lanes) }
        try File.write(bench.observations.csv, to: options.result("bench-router.csv"))
        try options.show(
            Report(
                RouterGoals.all(of: chosen), bench.observations, unavailable: bench.unavailable, name: "bench-router"))
        return EXIT_SUCCESS
    }

    /// All ways that can be had here.
    private func makeLanes(_ bench: RouterBench, _ release: BenchRelease, measures: Set<Int>) -> [Lane] {
        // Only versiond moves flows, and only its memory is measured.
        let needsAll = !measures.isDisjoint(with: 1...5)
        return RouterVariant.allCases.compactMap { variant in
            guard needsAll || variant.kernelPath != nil else { return nil }
            bench.say("preparing \(variant.rawValue)")
            do {
                return try bench.stoppingOnFailure {
                    switch variant {
                    case .plain, .control: try Lane.plain(variant, bench)
                    case .ebpf, .nftables, .slow: try Lane.versionKit(variant, release, bench)
                    case .haproxy, .nginx, .envoy: try PeerLane.make(variant, bench)
                    }
                }
            } catch {
                bench.lack(variant, error)
                return nil
            }
        }
    }

    private func measureMemory(_ bench: RouterBench, _ lanes: [Lane]) {
        for lane in lanes where [.ebpf, .nftables].contains(lane.variant) {
            do { try Memory.fast(bench, lane) } catch { bench.lack(lane.variant, measure: 7, error) }
        }
        do { try Memory.slow(bench) } catch { bench.lack(.slow, measure: 7, error) }
    }
}
