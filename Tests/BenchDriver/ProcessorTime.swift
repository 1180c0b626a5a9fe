import ExampleFleet
import FoundationEssentials
import Glibc

/// What the machine's processors did: hosts share them, so a spread may wait for them rather than for its links.
package struct ProcessorTime {
    private var all: Double
    private var idle: Double

    /// What all processors have done so far.
    package static func ofMachine() throws -> ProcessorTime {
        let text = try String(contentsOfFile: "/proc/stat", encoding: .utf8)
        let ticks = text.prefix { $0 != "\n" }.split(separator: " ").dropFirst().prefix(8).compactMap {
            Double(String($0))
        }
        guard ticks.count == 8 else { throw FleetError("/proc/stat does not tell what processors do") }
        // The fourth is idle, the fifth waits for disks.
        return ProcessorTime(all: ticks.reduce(0, +), idle: ticks[3] + ticks[4])
    }

    /// The share of their time in which they were busy.
    package func share(since before: ProcessorTime) -> Double {
        all > before.all ? 1 - (idle - before.idle) / (all - before.all) : 0
    }

    /// What this process's children took that have ended, in seconds.
    package static func ofChildren() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
        let microseconds = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(microseconds) / 1e6
    }
}
