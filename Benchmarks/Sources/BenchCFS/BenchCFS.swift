import ArgumentParser
import BenchCommands
import BenchFigures
import BenchPrograms
import Foundation
import Glibc

/// Measures rings of CFS with VersionKit and without.
@main
struct BenchCFS: Benchmark {
    static let configuration = CommandConfiguration(
        commandName: "bench-cfs",
        abstract: "Measures what CFS stores and fetches with VersionKit and without, its lookups, and what it loses.",
        discussion: """
            Measures 1 to 3 in 3 rounds, or in one with --quick; 4 and 5 once, since a seed says all of a simulation:
              1  16 hosts with 100 Mbit/s and round trips of 0.8 ms, one client, 1 MB in 2 KB blocks one by one: generation 1
                 behind VersionKit, to nodes by themselves on 16 other hosts, in turns (figure 16 of the paper)
              2  the same while both generations run
              3  ten nodes and a client on one host, 1 and 16 blocks at a time, and what bounds them
              4  hops of lookups on rings of up to 10 000 simulated nodes, of both generations
              5  30 % of 1000 simulated nodes fail at once: which of 10 000 blocks are lost, and what fails before
                 anybody has noticed

            Examples:
              scripts/bench-cfs
              scripts/bench-cfs --quick
              scripts/bench-cfs --only 1,2 --rounds 5
              scripts/bench-cfs --json >result.json

            Results go to stdout, progress to stderr, the raw numbers to Benchmarks/results/bench-cfs.csv and pictures beside
            it (bench-cfs.svg: figure 16; bench-cfs-hops.svg, -fragments.svg and -failures.svg: the simulations), unless
            --quick is given; --only leaves the files of other measures as they are, but not the raw numbers. The last line
            says how many goals were met; with --json it goes to stderr. What cannot be measured here is said to be "not
            available", with the reason, and counts as not met.

            Exit status: 0 whether goals are met or not; 64 wrong usage; 69 a program is missing; 129, 130, 143
            interrupted by that signal (less 128).
            """)

    @OptionGroup var options: BenchOptions

    @Option(help: "The directory of VersionKit's programs, from the root of the repository.")
    var programs = ".build/release"

    func validate() throws { try options.check(measures: CFSMeasure.allCases.count) }

    func measure() throws -> Int32 {
        let numbers = try options.chosen(of: CFSMeasure.allCases.count)
        let measures = Set(CFSMeasure.allCases.filter { numbers.contains($0.rawValue) })
        let scale: CFSScale = options.quick ? .quick : .full
        let bench = try CFSBench(
            root: options.path(""), programs: options.path(programs), measures: measures, scale: scale)
        // What was quick proves nothing, and does not replace what does.
        let isKept = !options.quick
        for round in 1...options.rounds(byDefault: 3) { bench.run(round: round) }
        bench.simulate { isKept ? try options.result("bench-cfs-\($0).svg") : nil }
        let observations = bench.observations
        if isKept {
            try File.write(observations.csv, to: options.result("bench-cfs.csv"))
            if !measures.isDisjoint(with: [.oneVersion, .bothGenerations]) {
                try File.write(CFSChart.throughput(observations, scale).svg, to: options.result("bench-cfs.svg"))
            }
        }
        try options.show(
            Report(CFSGoals.all(of: numbers), observations, unavailable: bench.unavailable, name: "bench-cfs"))
        return EXIT_SUCCESS
    }
}
