import ExampleFleet
import Glibc
import RedisFleet
import VersionKitControl
import VersionKitUpgrade

/// What people see while the demonstration runs: a table that redraws on a terminal, one line per change otherwise.
struct DemoTable {
    private let isTerminal = isatty(STDOUT_FILENO) == 1
    private var drawnLines = 0
    private var lastState = ""
    private let started = ContinuousClock.now

    /// Shows the versions and the clients' numbers so far.
    mutating func show(_ status: NodeStatus?, check: CheckNumbers, benchmark: Int) {
        let states = Self.states(of: status)
        if isTerminal {
            if drawnLines > 0 { print("\u{1B}[\(drawnLines)A\u{1B}[J", terminator: "") }
            for state in states { print("  \(state)") }
            print(
                "  clients: \(check.requests) requests checked, \(check.failed) failed, \(check.writes) writes; "
                    + "\(benchmark) of redis-benchmark")
            drawnLines = states.count + 1
        } else if states.joined() != lastState {
            lastState = states.joined()
            let seconds = (ContinuousClock.now - started).inSeconds
            print("  \(pad(seconds.tenths, 6)) s  \(states.joined(separator: " | "))")
        }
        fflush(nil)
    }

    /// Prints a line of what happened below the table, which goes on beneath it.
    mutating func tell(_ line: String) {
        drawnLines = 0
        say("  \(pad((ContinuousClock.now - started).inSeconds.tenths, 6)) s  \(line)")
    }

    /// Leaves the table as it is; what follows is printed below.
    mutating func close() { drawnLines = 0 }

    /// `version 2 upgrading: Migrate, 40 000 keys copied`
    static func states(of status: NodeStatus?) -> [String] {
        guard let versions = status?.applications.first?.versions else { return ["versiond starts"] }
        guard !versions.isEmpty else { return ["no version yet"] }
        return versions.map { version in
            var text = "version \(version.version) \(version.state.rawValue)"
            guard version.state != .retired else { return text }
            if let stage = version.stage { text += ": \(stage.title)" }
            // Rounded, so that a log is not longer than the upgrade.
            if version.stage == .migrate, let copied = version.migration?.copied {
                text += ", \(copied / 50_000 * 50)k keys copied"
            }
            if version.stage != .migrate, let missing = version.writes?.missing, missing > 0 { text += ", lags" }
            return text
        }
    }
}
