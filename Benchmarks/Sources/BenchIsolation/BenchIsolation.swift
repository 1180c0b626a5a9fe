import ArgumentParser
import BenchCommands
import BenchFigures
import BenchPrograms
import Foundation
import Glibc

/// Measures environments of every kind, and their snapshots.
@main
struct BenchIsolation: Benchmark {
    static let configuration = CommandConfiguration(
        commandName: "bench-isolation",
        abstract: "Measures environments of every kind and their snapshots, in the same run.",
        discussion: """
            Measures, in 3 rounds, or in one with --quick:
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

    @OptionGroup var options: BenchOptions

    @Option(help: "Rows of measure 1 that were measured on a Xen host, as CSV like the results.")
    var xen: String?

    @Option(help: "The directory of VersionKit's programs, from the root of the repository.")
    var programs = ".build/release"

    func validate() throws { try options.check(measures: IsolationMeasure.allCases.count) }

    func measure() throws -> Int32 {
        let numbers = try options.chosen(of: IsolationMeasure.allCases.count)
        let chosen = IsolationMeasure.allCases.filter { numbers.contains($0.rawValue) }
        let bench = try IsolationBench(root: options.path(""), programs: options.path(programs), isQuick: options.quick)
        if chosen.contains(.snapshot) {
            bench.add(PaperTable.observations)
            if let xen {
                guard let rows = Observations(csv: File.text(options.path(xen))) else {
                    throw BenchError("\(xen) is not CSV with the columns measure,peer,round,value,unit")
                }
                bench.add(rows.all)
            }
        }
        for round in 1...options.rounds(byDefault: 3) {
            for measure in chosen { bench.run(measure, round: round) }
        }
        try File.write(bench.observations.csv, to: options.result("bench-isolation.csv"))
        let report = Report(
            IsolationGoals.all(of: numbers), bench.observations, unavailable: bench.unavailable, name: "bench-isolation"
        )
        var tables: [String] = []
        if chosen.contains(.snapshot) {
            tables.append(PaperTable.text(bench.observations))
            try File.write(PaperTable.chart(bench.observations).svg, to: options.result("bench-isolation.svg"))
        }
        try options.show(report, tables: tables)
        return EXIT_SUCCESS
    }
}
