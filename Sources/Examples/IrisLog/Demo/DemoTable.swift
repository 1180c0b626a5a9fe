import ExampleFleet
import Glibc
import IrisLogFleet
import VersionKitControl
import VersionKitModel
import VersionKitUpgrade

/// What people see while the demonstration runs: a table that redraws on a terminal, one line per change otherwise.
struct DemoTable {
    private let isTerminal = isatty(STDOUT_FILENO) == 1
    private var drawnLines = 0
    private var lastStates: [String: String] = [:]
    private let started = ContinuousClock.now

    /// Shows the nodes and the clients' numbers so far.
    mutating func show(_ statuses: [(name: String, status: NodeStatus?)], load: LoadNumbers) {
        if isTerminal { redraw(statuses, load) } else { printChanges(statuses) }
        fflush(nil)
    }

    /// Leaves the table as it is; what follows is printed below.
    mutating func close() { drawnLines = 0 }

    private mutating func redraw(_ statuses: [(name: String, status: NodeStatus?)], _ load: LoadNumbers) {
        if drawnLines > 0 { print("\u{1B}[\(drawnLines)A\u{1B}[J", terminator: "") }
        for (name, status) in statuses { print("  \(pad(name, 5))\(Self.bar(status))  \(Self.state(of: status))") }
        print("  clients: \(load.requests) requests, \(load.failed) failed, \(load.updates) updates")
        drawnLines = statuses.count + 1
    }

    private mutating func printChanges(_ statuses: [(name: String, status: NodeStatus?)]) {
        let seconds = (ContinuousClock.now - started).inSeconds
        for (name, status) in statuses {
            let state = Self.state(of: status)
            guard lastStates[name] != state else { continue }
            lastStates[name] = state
            print("  \(pad(seconds.tenths, 6)) s  \(pad(name, 5))\(state)")
        }
    }

    /// How far the version is that is on its way: `[####.....]`, a place for each stage; nothing if there is none.
    static func bar(_ status: NodeStatus?) -> String {
        let stages = UpgradeStage.allCases
        let stage = status?.applications.first?.versions.last { $0.state == .upgrading || $0.state == .serving }?.stage
        let done = stage.flatMap { stages.firstIndex(of: $0) }
        return pad(done.map { "[\(pad(String(repeating: "#", count: $0), stages.count, with: "."))]" } ?? "", 11)
    }

    /// `1 serving | 2 upgrading: Migrate`
    static func state(of status: NodeStatus?) -> String {
        guard let application = status?.applications.first else { return "starting" }
        let states = application.versions.map { version in
            let stage = version.stage.map { ": \($0.title)" } ?? ""
            return "\(version.version) \(version.state.rawValue)\(version.state == .retired ? "" : stage)"
        }
        return states.isEmpty ? "no version yet" : states.joined(separator: " | ")
    }
}
