import ArgumentParser
import BenchCommands
import BenchFigures
import BenchPrograms
import Foundation
import Glibc

/// Measures upgrades of fleets.
@main
struct BenchUpgrade: Benchmark {
    static let configuration = CommandConfiguration(
        commandName: "bench-upgrade",
        abstract:
            "Measures how releases spread over a fleet, what the stages of an upgrade take, and versiond's memory.",
        discussion: """
            Measures, in 3 rounds, or in one with --quick:
              1  12 hosts, 48 MB, 100 Mbit/s each way at every host, until the last has it, beside HTTP from the first
              2  48 hosts, 6 MB, the same
              3  3 to 48 hosts whose servers talk to each other: until the last has heard of a version
              4  bytes of a release of which 2 % differ
              5  Prep FS, Create VM and Config app, beside figures 11 to 13 of the paper
              6  memory of versiond, idle, and with 3 releases and a swarm

            Examples:
              scripts/bench-upgrade
              scripts/bench-upgrade --quick
              scripts/bench-upgrade --only 1,2 --rounds 5
              scripts/bench-upgrade --json >result.json

            Results go to stdout, progress to stderr, the raw numbers to Benchmarks/results/bench-upgrade.csv and a picture
            of the stages beside it, unless --quick is given. The last line says how many goals were met; with --json it
            goes to stderr. What cannot be measured here is said to be "not available", with the reason, and counts as not
            met.

            Exit status: 0 whether goals are met or not; 64 wrong usage; 69 a program is missing; 129, 130, 143
            interrupted by that signal (less 128).
            """)

    @OptionGroup var options: BenchOptions

    @Option(help: "The directory of VersionKit's programs, from the root of the repository.")
    var programs = ".build/release"

    func validate() throws { try options.check(measures: UpgradeMeasure.allCases.count) }

    func measure() throws -> Int32 {
        let numbers = try options.chosen(of: UpgradeMeasure.allCases.count)
        let chosen = UpgradeMeasure.allCases.filter { numbers.contains($0.rawValue) }
        let scale: UpgradeScale = options.quick ? .quick : .full
        let bench = try UpgradeBench(root: options.path(""), programs: options.path(programs), scale: scale)
        if chosen.contains(.stages) { bench.add(UpgradeStages.paper) }
        for round in 1...options.rounds(byDefault: 3) {
            for measure in chosen { bench.run(measure, round: round) }
        }
        let observations = bench.observations
        // What was quick proves nothing, and does not replace what does.
        if !options.quick {
            try File.write(observations.csv, to: options.result("bench-upgrade.csv"))
            if chosen.contains(.stages) {
                try File.write(UpgradeStages.chart(observations, scale).svg, to: options.result("bench-upgrade.svg"))
            }
        }
        let report = Report(
            UpgradeGoals.all(of: numbers), Observations(observations.all.filter { !UpgradeStages.isOfHost($0) }),
            unavailable: bench.unavailable, name: "bench-upgrade")
        try options.show(report, tables: [UpgradeStages.text(observations, scale)].filter { !$0.isEmpty })
        return EXIT_SUCCESS
    }
}
