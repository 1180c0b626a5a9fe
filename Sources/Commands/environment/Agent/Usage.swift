import Glibc
import VersionKitProcesses

/// What everything beside the agent uses, out of `/proc`.
enum Usage {
    /// The answer to `usage`.
    static func current() -> String {
        let others = Others.statuses
        let memory = others.reduce(0) { $0 + $1.pages } * Int(sysconf(Int32(_SC_PAGESIZE)))
        let seconds = Double(others.reduce(0) { $0 + $1.ticks }) / Double(sysconf(Int32(_SC_CLK_TCK)))
        return "used \(memory) \(seconds) \(others.reduce(0) { $0 + $1.threads })"
    }
}
