import BenchCommands
import BenchFigures
import BenchPrograms
import Glibc

/// What all measures share: the driver, and what has been observed so far.
final class UpgradeBench {
    /// How long one run of the driver may take, in seconds.
    private static let limit = 400.0

    private(set) var observations = Observations()
    private(set) var unavailable = Unavailable()
    private let sandbox: String
    private let driver: String
    private let scale: UpgradeScale
    /// For what the driver prints.
    private let directory: String
    private var runs = 0

    init(root: String, programs: String, scale: UpgradeScale) throws {
        sandbox = "\(root)/scripts/sandbox"
        driver = "\(programs)/upgrade-bench"
        self.scale = scale
        for program in ["upgrade-bench", "gossip-app", "versiond", "versionctl", "versionkit-environment"]
        where !File.isProgram("\(programs)/\(program)") {
            throw BenchError("\(programs)/\(program) is missing: scripts/bench-upgrade builds it")
        }
        directory = "/tmp/bench-upgrade-\(getpid())"
        try File.makeFolder(directory)
        Children.remember(directory: directory)
    }

    func add(_ rows: [Observation]) { for row in rows { observations.add(row) } }

    /// One round of a measure, each run beginning with another one than the last time.
    func run(_ measure: UpgradeMeasure, round: Int) {
        let all = measure.runs(scale)
        let first = (round - 1) % all.count
        for run in all[first...] + all[..<first] where unavailable[measure.rawValue, run.peer] == nil {
            Console.say("round \(round)  \(run.words.joined(separator: " "))")
            do {
                let rows = try rows(of: run)
                for row in rows + (measure == .stages ? UpgradeStages.sums(rows) : []) {
                    let observation = Observation(run.key(row.measure), run.peer, round: round, row.value, row.unit)
                    observations.add(observation)
                    guard !UpgradeStages.isOfHost(observation) else { continue }
                    Console.say("  \(observation.measure)  \(run.peer)  \(row.value.text(digits: 2)) \(row.unit)")
                }
            } catch {
                let reason = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
                unavailable.add(run.peer, measure: measure.rawValue, reason)
                Console.say("  \(run.name), \(run.peer) is not available: \(reason)")
            }
        }
    }

    private func rows(of run: UpgradeRun) throws -> [UpgradeRow] {
        runs += 1
        let child = try Children.start("upgrade-bench", sandbox, [driver] + run.words, log: "\(directory)/\(runs).log")
        let code = try Children.wait(for: child, seconds: Self.limit)
        let rows = child.output.split(whereSeparator: \.isNewline).compactMap { UpgradeRow(line: $0) }
        guard code == 0, !rows.isEmpty else {
            // What it says of itself comes first; what it quotes, behind that.
            let reason = child.output.split(whereSeparator: \.isNewline).first { $0.hasPrefix("upgrade-bench: ") }
            throw BenchError(reason.map(String.init) ?? "upgrade-bench ended with \(code): \(child.lastWords)")
        }
        return rows
    }
}
