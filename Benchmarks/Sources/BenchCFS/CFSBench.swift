import BenchCommands
import BenchFigures
import BenchPrograms

/// What all measures share: the programs, and what has been observed so far.
final class CFSBench {
    /// How long one run of the driver may take, and a simulation, in seconds.
    private static let (runLimit, simulationLimit) = (600.0, 3600.0)

    private(set) var observations = Observations()
    private(set) var unavailable = Unavailable()
    private let driver: DriverProgram
    private let simulator: String
    private let measures: Set<CFSMeasure>
    private let scale: CFSScale

    init(root: String, programs: String, measures: Set<CFSMeasure>, scale: CFSScale) throws {
        self.measures = measures
        self.scale = scale
        simulator = "\(programs)/cfs-simulate"
        driver = try DriverProgram(
            "cfs-bench", in: programs,
            needs: [
                "cfs-simulate", "cfs-lsd", "cfs-lsd2", "cfs-dbm", "cfs-proxy", "cfs-migrate", "versiond", "versionctl",
                "versionkit-environment",
            ], builtBy: "scripts/bench-cfs", sandbox: "\(root)/scripts/sandbox")
    }

    /// One round of what runs on hosts, each beginning with another run than the last one.
    func run(round: Int) {
        let all = CFSMeasure.runs(for: measures, scale)
        guard !all.isEmpty else { return }
        let first = (round - 1) % all.count
        for run in all[first...] + all[..<first] {
            Console.say("round \(round)  \(run.words.joined(separator: " "))")
            do {
                let rows = try driver.rows(of: run.words, limit: Self.runLimit)
                note(run.observations(rows, round: round))
            } catch {
                for measure in measures
                where CFSMeasure.runs(for: [measure], scale).contains(where: { $0.peer == run.peer }) {
                    complain(of: run.peer, measure, error)
                }
            }
        }
    }

    /// Simulates what is to be simulated.
    ///
    /// - Parameter picture: where a picture of this name goes; nil: nowhere.
    func simulate(picture: (String) throws -> String?) {
        for simulation in CFSMeasure.simulations(for: measures, scale) {
            Console.say("cfs-simulate \(simulation.words.joined(separator: " "))")
            do {
                let table = "\(driver.directory)/simulation.csv"
                let files = try simulation.picture.flatMap(picture).map { ["--svg", $0] } ?? []
                let child = try Children.start(
                    "cfs-simulate", simulator, simulation.words + ["--csv", table] + files,
                    log: "\(driver.directory)/simulation.log")
                let code = try Children.wait(for: child, seconds: Self.simulationLimit)
                guard code == 0, let rows = CommaTable(File.text(table)) else {
                    throw BenchError("cfs-simulate ended with \(code): \(child.lastWords)")
                }
                note(simulation.observations(rows))
            } catch {
                for generation in 1...2 { complain(of: "generation \(generation)", simulation.measure, error) }
            }
        }
    }

    private func note(_ rows: [Observation]) {
        for row in rows {
            observations.add(row)
            Console.say("  \(row.measure)  \(row.peer)  \(row.value.text(digits: 2)) \(row.unit)")
        }
    }

    private func complain(of peer: String, _ measure: CFSMeasure, _ error: any Error) {
        let reason = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
        unavailable.add(peer, measure: measure.rawValue, reason)
        Console.say("  \(peer) is not available: \(reason)")
    }
}
