import ExampleFleet
import Glibc

/// What programs that measure for a benchmark, one run at a time, have in common.
package enum Driver {
    private nonisolated(unsafe) static let errors = fdopen(dup(STDERR_FILENO), "w")

    /// Does what the command line says: `NAME KEY=VALUE...`. Ends the program with 1 if it cannot, and says why.
    package static func main(
        _ program: String, _ commands: [String: @Sendable (Settings) async throws -> Void]
    ) async {
        do {
            let words = CommandLine.arguments.dropFirst()
            guard let name = words.first, let command = commands[name] else {
                throw FleetError("usage: \(program) \(commands.keys.sorted().joined(separator: "|")) KEY=VALUE...")
            }
            try await command(Settings(words.dropFirst()))
        } catch {
            fputs("\(program): \(error)\n", errors)
            exit(1)
        }
    }
}

/// Prints a row for the benchmark.
package func tell(_ measure: String, _ value: Double, _ unit: String) { say("\(measure)\t\(value)\t\(unit)") }
