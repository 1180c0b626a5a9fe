import ExampleFleet
import Glibc
import VersionKitModel

/// Measures how fast the layers of a release spread over hosts with links of a certain rate, for scripts/bench-upgrade.
///
///     swarm-bench spread nodes=12 bytes=48000000 megabits=100     the driver; inside scripts/sandbox
///     swarm-bench node ...                                        one host, started by the driver
///
/// The driver prints rows `measure<tab>value<tab>unit`. Each host is a process with a session as versiond has one; whom it
/// knows says the `Introducer` that versiond asks.
@main
enum SwarmBenchMain {
    static func main() async {
        do {
            var words = Array(CommandLine.arguments.dropFirst())
            guard !words.isEmpty else { throw FleetError("usage: swarm-bench spread KEY=VALUE... | node KEY=VALUE...") }
            let command = words.removeFirst()
            let settings = try Settings(words)
            switch command {
            case "spread": try await Spread(settings).run()
            case "node": try await BenchNode(settings).run()
            default: throw FleetError("there is no command '\(command)'")
            }
        } catch {
            fputs("swarm-bench: \(error)\n", errors)
            exit(1)
        }
    }
}

private nonisolated(unsafe) let errors = fdopen(dup(STDERR_FILENO), "w")

/// Arguments of the form `key=value`.
struct Settings {
    private var values: [String: String] = [:]

    init(_ words: [String]) throws {
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw FleetError("'\(word)' is not key=value") }
            values[String(parts[0])] = String(parts[1])
        }
    }

    func text(_ key: String) throws -> String {
        guard let value = values[key] else { throw FleetError("\(key)= is missing") }
        return value
    }

    func number(_ key: String) throws -> Int {
        guard let number = Int(try text(key)) else { throw FleetError("\(key)= is not a number") }
        return number
    }
}

/// Milliseconds since 1970, the same for all processes.
func milliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}
