import ArgumentParser
import BenchFigures
import BenchPrograms
import Foundation
import Glibc

/// Measures environments of every kind, and their snapshots.
@main
struct BenchIsolation: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-isolation",
        abstract: "Measures environments of every kind and their snapshots, in the same run.",
        discussion: """
            Measures:
              1  snapshot and resume of 32 to 512 MB, beside the paper's table 1
              2  time from create to ready and to destroyed, beside the runtime's own
              3  pause for a snapshot of files
              4  memory of an idle environment
              5  network throughput inside
              6  time for fixed work inside

            Examples:
              scripts/bench-isolation
              scripts/bench-isolation --quick
              scripts/bench-isolation --only 1,3 --rounds 9
              scripts/bench-isolation --xen xen.csv

            Results go to stdout, progress to stderr, the raw numbers to Benchmarks/results/bench-isolation.csv and a
            picture of measure 1 beside it. The last line says how many goals were met. What cannot be measured here is
            said to be "not available", with the reason, and counts as not met.

            Exit status: 0 whether goals are met or not; 64 wrong usage; 69 a program is missing; 129, 130, 143
            interrupted by that signal (less 128).
            """)

    @Option(help: "How often everything is measured, 1 to 50 (default: 3; 1 with --quick).")
    var rounds: Int?

    @Option(help: "Only these measures, as in 1,3.")
    var only: String?

    @Flag(help: "Small counts: shows that everything works, proves nothing.")
    var quick = false

    @Option(help: "Rows of measure 1 that were measured on a Xen host, as CSV like the results.")
    var xen: String?

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
            FileHandle.standardError.write(Data("bench-isolation: \(error)\n".utf8))
            Children.exitAll(EX_UNAVAILABLE)
        }
    }

    private func measure() throws {
        let chosen = try chosen()
        let bench = try IsolationBench(root: path(""), programs: path(programs), isQuick: quick)
        if chosen.contains(.snapshot) {
            bench.add(PaperTable.observations)
            if let xen {
                guard let rows = Observations(csv: File.text(path(xen))) else {
                    throw BenchError("\(xen) is not CSV with the columns measure,peer,round,value,unit")
                }
                bench.add(rows.all)
            }
        }
        for round in 1...(rounds ?? (quick ? 1 : 3)) {
            for measure in chosen { bench.run(measure, round: round) }
        }
        try File.makeFolder(path("Benchmarks/results"))
        try File.write(bench.observations.csv, to: path("Benchmarks/results/bench-isolation.csv"))
        let report = Report(
            IsolationGoals.all(of: Set(chosen.map(\.rawValue))), bench.observations, unavailable: bench.unavailable,
            name: "bench-isolation")
        var parts = [report.medianTable, report.goalTable, report.verdict]
        if chosen.contains(.snapshot) {
            parts.insert(PaperTable.text(bench.observations), at: 1)
            try File.write(
                PaperTable.chart(bench.observations).svg, to: path("Benchmarks/results/bench-isolation.svg"))
        }
        print(parts.joined(separator: "\n\n"))
    }

    private func chosen() throws -> [IsolationMeasure] {
        guard let only else { return IsolationMeasure.allCases }
        let numbers = only.split(separator: ",").map { Int($0.trimmingCharacters(in: .whitespaces)) }
        let known = Set(numbers.compactMap { $0.flatMap { IsolationMeasure(rawValue: $0) } })
        guard !known.isEmpty, known.count == numbers.count else {
            throw ValidationError(
                "--only takes numbers from 1 to \(IsolationMeasure.allCases.count), as in 1,3; not '\(only)'.")
        }
        return IsolationMeasure.allCases.filter(known.contains)
    }

    private func path(_ path: String) -> String {
        path.hasPrefix("/") ? path : URL(fileURLWithPath: root).appendingPathComponent(path).path
    }
}
