import ArgumentParser
import BenchFigures
import BenchPrograms
import Foundation
import Glibc

/// Measures upgrades: so far, how releases spread.
@main
struct BenchUpgrade: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-upgrade",
        abstract: "Measures how fast a release spreads over a fleet.",
        discussion: """
            Measures:
              1  12 hosts, 48 MB, 100 Mbit/s each way at every host, until the last has it
              2  48 hosts, 6 MB, the same links

            Examples:
              scripts/bench-upgrade
              scripts/bench-upgrade --quick
              scripts/bench-upgrade --only 2 --rounds 5

            Results go to stdout, progress to stderr, the raw numbers to Benchmarks/results/bench-upgrade.csv. The last
            line says how many goals were met.

            Exit status: 0 whether goals are met or not; 64 wrong usage; 69 a program is missing; 129, 130, 143
            interrupted by that signal (less 128).
            """)

    /// How long one run of the driver may take, in seconds.
    private static let limit = 240.0

    @Option(help: "How often everything is measured, 1 to 50 (default: 3; 1 with --quick).")
    var rounds: Int?

    @Option(help: "Only these measures, as in 1,2.")
    var only: String?

    @Flag(help: "Small counts: shows that everything works, proves nothing.")
    var quick = false

    @Option(help: "The root of the repository.")
    var root = "."

    @Option(help: "The directory of VersionKit's programs, from the root of the repository.")
    var programs = ".build/release"

    func validate() throws {
        guard (1...50).contains(rounds ?? 1) else { throw ValidationError("--rounds takes 1 to 50.") }
        _ = try chosen()
    }

    func run() throws {
        Interruption.watch()
        do {
            try measure()
            Children.exitAll(0)
        } catch {
            FileHandle.standardError.write(Data("bench-upgrade: \(error)\n".utf8))
            Children.exitAll(EX_UNAVAILABLE)
        }
    }

    private func measure() throws {
        let chosen = try chosen()
        guard File.isProgram(path("\(programs)/swarm-bench")) else {
            throw BenchError("\(programs)/swarm-bench is missing: scripts/bench-upgrade builds it")
        }
        let directory = "/tmp/bench-upgrade-\(getpid())"
        try File.makeFolder(directory)
        Children.remember(directory: directory)
        var observations = Observations()
        var unavailable = Unavailable()
        for round in 1...(rounds ?? (quick ? 1 : 3)) {
            for measure in chosen {
                do {
                    for row in try rows(of: measure, log: "\(directory)/\(measure)-\(round).log") {
                        observations.add(
                            Observation(
                                "\(measure.name), \(row.measure)", UpgradeGoals.peer, round: round, row.value, row.unit)
                        )
                        say(
                            "  round \(round)  \(measure.name)  \(row.measure) \(row.value.text(digits: 2)) \(row.unit)"
                        )
                    }
                } catch {
                    unavailable.add(UpgradeGoals.peer, measure: measure.rawValue, "\(error)")
                    say("  \(measure.name) is not available: \(error)")
                }
            }
        }
        try File.makeFolder(path("Benchmarks/results"))
        // What was quick proves nothing, and does not replace what does.
        if !quick { try File.write(observations.csv, to: path("Benchmarks/results/bench-upgrade.csv")) }
        let report = Report(
            UpgradeGoals.all(of: chosen), observations, unavailable: unavailable, name: "bench-upgrade")
        print([report.medianTable, report.goalTable, report.verdict].joined(separator: "\n\n"))
    }

    private func rows(of measure: UpgradeMeasure, log: String) throws -> [SpreadRow] {
        let child = try Children.start(
            "swarm-bench", path("scripts/sandbox"),
            [path("\(programs)/swarm-bench"), "spread"] + measure.words(isQuick: quick), log: log)
        let code = try Children.wait(for: child, seconds: Self.limit)
        let rows = child.output.split(whereSeparator: \.isNewline).compactMap { SpreadRow(line: $0) }
        guard code == 0, !rows.isEmpty else {
            throw BenchError("swarm-bench ended with \(code): \(child.lastWords)")
        }
        return rows
    }

    private func chosen() throws -> [UpgradeMeasure] {
        guard let only else { return UpgradeMeasure.allCases }
        let numbers = only.split(separator: ",").map { Int($0.trimmingCharacters(in: .whitespaces)) }
        let known = numbers.compactMap { $0.flatMap { UpgradeMeasure(rawValue: $0) } }
        guard !known.isEmpty, known.count == numbers.count else {
            throw ValidationError("--only takes 1 and 2, as in 1,2; not '\(only)'.")
        }
        return UpgradeMeasure.allCases.filter(known.contains)
    }

    /// Progress; stdout is for results.
    private func say(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

    private func path(_ path: String) -> String {
        path.hasPrefix("/") ? path : URL(fileURLWithPath: root).appendingPathComponent(path).path
    }
}
