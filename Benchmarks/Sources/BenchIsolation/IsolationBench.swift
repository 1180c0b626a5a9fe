import BenchCommands
import BenchFigures
import BenchPrograms
import Foundation
import Glibc

/// What all measures share: the programs, and what has been observed so far.
final class IsolationBench {
    /// How long one run of the driver may take, in seconds.
    private static let limit = 180.0

    private(set) var observations = Observations()
    private(set) var unavailable = Unavailable()
    private let sandbox: String
    private let driver: String
    private let options: [String: [String]]
    /// For what the driver makes and prints; goes at the end, also if the driver could not take it away.
    private let directory: String
    private var runs = 0

    init(root: String, programs: String, isQuick: Bool) throws {
        sandbox = "\(root)/scripts/sandbox"
        driver = "\(programs)/isolation-bench"
        let needed = ["isolation-bench", "isolation-app", "versionkit-environment", "versionctl"]
        for program in needed where !File.isProgram("\(programs)/\(program)") {
            throw BenchError("\(programs)/\(program) is missing: scripts/bench-isolation builds it")
        }
        directory = "/tmp/bench-isolation-\(getpid())"
        let sizes = isQuick ? [32, 128] : PaperTable.sizes
        let repeats = "repeats=\(isQuick ? 1 : 3)"
        options = [
            IsolationMeasure.snapshot.word: [
                "sizes=\(sizes.map(String.init).joined(separator: ","))", "criu=\(root)/.build/criu/criu",
            ],
            IsolationMeasure.life.word: [repeats],
            IsolationMeasure.pause.word: ["sizes=64", repeats],
            IsolationMeasure.network.word: [repeats],
            IsolationMeasure.compute.word: [repeats],
        ]
        try File.makeFolder(directory)
        Children.remember(directory: directory)
    }

    func add(_ rows: [Observation]) { for row in rows { observations.add(row) } }

    /// One round of a measure: each variant in a sandbox of its own, beginning with another one than the last time.
    func run(_ measure: IsolationMeasure, round: Int) {
        let variants = measure.variants
        let first = (round - 1) % variants.count
        for variant in variants[first...] + variants[..<first]
        where unavailable[measure.rawValue, variant.rawValue] == nil {
            do {
                for row in try rows(of: measure, variant) {
                    observations.add(
                        Observation(row.measure, variant.rawValue, round: round, row.value, row.unit))
                    let value = row.value.text(digits: row.value < 100 ? 2 : 0)
                    say("  round \(round)  \(row.measure)  \(variant.rawValue)  \(value) \(row.unit)")
                }
            } catch {
                let reason = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
                unavailable.add(variant.rawValue, measure: measure.rawValue, reason)
                say("  \(measure), \(variant.rawValue) is not available: \(reason)")
            }
        }
    }

    private func rows(of measure: IsolationMeasure, _ variant: IsolationVariant) throws -> [IsolationRow] {
        guard let words = variant.words else { throw BenchError("nobody measures it here") }
        runs += 1
        let child = try Children.start(
            "isolation-bench", sandbox,
            [driver, measure.word] + words + ["work=\(directory)"] + (options[measure.word] ?? []),
            log: "\(directory)/\(runs).log")
        let code = try Children.wait(for: child, seconds: Self.limit)
        let output = child.output
        if let reason = IsolationRow.reason(in: output) { throw BenchError(reason) }
        let rows = IsolationRow.medians(in: output)
        guard code == 0, !rows.isEmpty else {
            throw BenchError("isolation-bench ended with \(code): \(child.lastWords)")
        }
        return rows
    }

    /// Progress; stdout is for results.
    private func say(_ text: String) { Console.say(text) }
}
