import ExampleFleet
import Glibc

/// Measures what an upgrade of a fleet takes, for scripts/bench-upgrade, which runs it inside scripts/sandbox.
///
///     upgrade-bench spread nodes=12 bytes=48000000 megabits=100 way=swarm|http     the layers alone
///     upgrade-bench adverts nodes=12 key=yes|no                                    who knows when, by real versiond
///     upgrade-bench difference bytes=48000000                                      bytes of a release that differs by little
///     upgrade-bench stages nodes=12 bytes=48000000 megabits=100 isolation=oci      the stages on each host
///     upgrade-bench memory nodes=4 bytes=48000000                                  of versiond
///     upgrade-bench node|web ...                                                   one host of the first
///
/// It prints rows `measure<tab>value<tab>unit`.
@main
enum UpgradeBenchMain {
    private static let commands: [String: @Sendable (Settings) async throws -> Void] = [
        "spread": { try await Spread($0).run() }, "adverts": { try await Adverts($0).run() },
        "difference": { try await Difference($0).run() }, "stages": { try await Stages($0).run() },
        "memory": { try await Memory($0).run() }, "node": { try await BenchNode($0).run() },
        "web": { try await WebNode($0).run() },
    ]

    static func main() async {
        do {
            let words = CommandLine.arguments.dropFirst()
            guard let name = words.first, let command = commands[name] else {
                throw FleetError("usage: upgrade-bench \(commands.keys.sorted().joined(separator: "|")) KEY=VALUE...")
            }
            try await command(Settings(words.dropFirst()))
        } catch {
            fputs("upgrade-bench: \(error)\n", errors)
            exit(1)
        }
    }
}

private nonisolated(unsafe) let errors = fdopen(dup(STDERR_FILENO), "w")

/// Arguments of the form `key=value`.
struct Settings {
    private var values: [String: String] = [:]

    init(_ words: some Sequence<String>) throws {
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

/// Prints a row.
func tell(_ measure: String, _ value: Double, _ unit: String) { say("\(measure)\t\(value)\t\(unit)") }
