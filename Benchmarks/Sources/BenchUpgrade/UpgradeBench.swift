import BenchCommands
import BenchFigures

/// What all measures share: the driver, and what has been observed so far.
final class UpgradeBench {
    /// How long one run of the driver may take, in seconds.
    private static let limit = 400.0

    private(set) var observations = Observations()
    private(set) var unavailable = Unavailable()
    private let driver: DriverProgram
    private let scale: UpgradeScale

    init(root: String, programs: String, scale: UpgradeScale) throws {
        self.scale = scale
        driver = try DriverProgram(
            "upgrade-bench", in: programs, needs: ["gossip-app", "versiond", "versionctl", "versionkit-environment"],
            builtBy: "scripts/bench-upgrade", sandbox: "\(root)/scripts/sandbox")
    }

    func add(_ rows: [Observation]) { for row in rows { observations.add(row) } }

    /// One round of a measure, each run beginning with another one than the last time.
    func run(_ measure: UpgradeMeasure, round: Int) {
        let all = measure.runs(scale)
        let first = (round - 1) % all.count
        for run in all[first...] + all[..<first] where unavailable[measure.rawValue, run.peer] == nil {
            Console.say("round \(round)  \(run.words.joined(separator: " "))")
            do {
                let rows = try driver.rows(of: run.words, limit: Self.limit)
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
}
