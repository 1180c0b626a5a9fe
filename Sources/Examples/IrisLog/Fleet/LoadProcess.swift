import ExampleFleet
import Synchronization
import VersionKitProcesses
import VersionKitTestbed

/// What a load reported last.
package struct LoadNumbers: Sendable {
    package var requests = 0
    package var failed = 0
    package var updates = 0
    package var lost = 0
    package var nodesSeen = 0
    package var reasons = ""
    /// Whether these are the numbers of its end.
    package var isFinal = false

    package init() {}

    /// Takes over what a line of output says; a line that is neither progress nor result says nothing.
    package mutating func read(_ line: String) {
        let words = line.split(separator: " ", maxSplits: 6, omittingEmptySubsequences: false)
        let values = words.dropFirst().prefix(5).compactMap { Int($0) }
        if words.first == "progress", values.count == 3 {
            (requests, failed, updates) = (values[0], values[1], values[2])
        } else if words.first == "result", values.count == 5 {
            (requests, failed, updates, lost, nodesSeen) = (values[0], values[1], values[2], values[3], values[4])
            reasons = words.count > 6 ? String(words[6]) : ""
            isFinal = true
        }
    }
}

extension LoadNumbers {
    /// Adds what another load saw.
    package mutating func add(_ other: LoadNumbers) {
        requests += other.requests
        failed += other.failed
        updates += other.updates
        lost += other.lost
    }
}

/// One `irislog-load` on a host, and what it says.
package final class LoadProcess: Sendable {
    private let process: HostProcess
    private let latest: LatestNumbers
    private let ended: Task<Void, Never>

    private final class LatestNumbers: Sendable {
        let numbers = Mutex(LoadNumbers())
    }

    /// Starts a load that speaks one protocol to the host's own server. A second one beside or behind it has another `series`:
    /// sequences of one sensor begin only once.
    package init(on node: FleetNode, fleet: Fleet, generation: Int, series: Int = 1, programs: String) throws {
        let sensor = "load-p\(generation)" + (series > 1 ? "-\(series)" : "")
        let process = try node.host.spawn(
            "\(programs)/irislog-load",
            [
                "--protocol", "\(generation)", "--server", node.server, "--node", node.member.path,
                "--everywhere", fleet.everywhere(sensor: sensor), "--sensor", sensor,
            ], output: .pipe, errors: .file(node.directory + "/load.log"))
        let latest = LatestNumbers()
        self.process = process
        self.latest = latest
        ended = Task {
            await onThread("load-output") {
                guard let output = process.output else { return }
                readLines(output) { line in latest.numbers.withLock { $0.read(line) } }
            }
        }
    }

    /// What it said last.
    package var numbers: LoadNumbers { latest.numbers.withLock { $0 } }

    /// Has it stop, read back what was acknowledged, and report.
    package func finish() async throws -> LoadNumbers {
        process.terminate()
        let exit = try await process.wait()
        await ended.value
        guard numbers.isFinal else { throw FleetError("a load ended with \(exit) and no result") }
        return numbers
    }
}
