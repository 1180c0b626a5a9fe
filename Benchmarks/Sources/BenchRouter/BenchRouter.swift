import ArgumentParser
import BenchFigures
import BenchPrograms
import Foundation
import Glibc

/// Measures the version router beside plain routing and its peers.
@main
struct BenchRouter: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-router",
        abstract: "Measures the version router beside plain routing, HAProxy, nginx and Envoy, in the same run.",
        discussion: """
            Measures:
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

    private static let measures = 1...7

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

    @Option(help: "The directory of versiond and versionctl, from the root of the repository.")
    var programs = ".build/release"

    @Option(help: "Envoy, from the root of the repository.")
    var envoy = ".build/peers/envoy/envoy/_bin/envoy"

    func validate() throws {
        let most = BenchRelease.freshPorts.count
        guard (1...most).contains(rounds ?? 1) else { throw ValidationError("--rounds takes 1 to \(most).") }
        _ = try chosen()
    }

    func run() throws {
        Interruption.watch()
        do {
            try measure()
            Children.exitAll(0)
        } catch {
            FileHandle.standardError.write(Data("bench-router: \(error)\n".utf8))
            Children.exitAll(EX_UNAVAILABLE)
        }
    }

    private func measure() throws {
        guard ProcessInfo.processInfo.environment["VERSIONKIT_SANDBOX"] != nil else {
            throw BenchError("this has to run inside scripts/sandbox; scripts/bench-router sees to it")
        }
        let chosen = try chosen()
        var scale = Scale(rounds: rounds, isQuick: quick)
        let wanted = scale.connections
        _ = FileLimit.raise(for: 2 * wanted)
        // A relay has two sockets for a connection.
        scale.connections = FileLimit.fitting(wanted, descriptorsEach: 2)
        let load = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/bench-load"
        let tools = try RouterTools(programs: path(programs), load: load, envoy: path(envoy))
        let bench = try RouterBench(tools: tools, scale: scale, root: path(""))
        if chosen.contains(7), scale.connections < wanted {
            bench.say("The limit of open files (ulimit -Hn) allows \(scale.connections) connections, not \(wanted).")
        }
        let release = try BenchRelease.make(bench)
        let lanes = makeLanes(bench, release, measures: chosen)
        Requests.run(bench, lanes, measures: chosen)
        if chosen.contains(6) { Moving.run(bench, lanes) }
        if chosen.contains(7) { measureMemory(bench, lanes) }
        try File.makeFolder(path("Benchmarks/results"))
        try File.write(bench.observations.csv, to: path("Benchmarks/results/bench-router.csv"))
        try show(
            Report(
                RouterGoals.all(of: chosen), bench.observations, unavailable: bench.unavailable, name: "bench-router"))
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
        guard let only else { return Set(Self.measures) }
        let numbers = only.split(separator: ",").map { Int($0.trimmingCharacters(in: .whitespaces)) }
        let known = numbers.compactMap(\.self).filter(Self.measures.contains)
        guard !numbers.isEmpty, known.count == numbers.count else {
            throw ValidationError(
                "--only takes numbers from 1 to \(Self.measures.upperBound), as in 1,3; not '\(only)'.")
        }
        return Set(known)
    }

    private func path(_ path: String) -> String {
        path.hasPrefix("/") ? path : URL(fileURLWithPath: root).appendingPathComponent(path).path
    }
}
