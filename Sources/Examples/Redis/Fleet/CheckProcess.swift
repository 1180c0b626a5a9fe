import Synchronization
import VersionKitProcesses
package import VersionKitTestbed

/// What redis-check reported last.
package struct CheckNumbers: Sendable, Equatable {
    package var requests = 0
    package var failed = 0
    package var writes = 0
    package var lost = 0
    package var reasons = ""
    /// Whether these are the numbers of its end.
    package var isFinal = false

    package init() {}

    /// Takes over what a line of output says; a line that is neither progress nor result says nothing.
    package mutating func read(_ line: String) {
        let words = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: false)
        let values = words.dropFirst().prefix(4).compactMap { Int($0) }
        if words.first == "progress", values.count == 3 {
            (requests, failed, writes) = (values[0], values[1], values[2])
        } else if words.first == "result", values.count == 4 {
            (requests, failed, writes, lost) = (values[0], values[1], values[2], values[3])
            reasons = words.count > 5 ? String(words[5]) : ""
            isFinal = true
        }
    }
}

/// A redis-check on a host, and what it says.
package final class CheckProcess: Sendable {
    private final class Latest: Sendable {
        let numbers = Mutex(CheckNumbers())
    }

    private let process: HostProcess
    private let latest: Latest
    private let ended: Task<Void, Never>

    /// Starts it against the host's own clients' port: with so many connections, and a pause before each request.
    package init(
        on host: TestbedHost, programs: String, log: String, connections: Int = 8, pauseMicroseconds: Int = 1000
    ) throws {
        let process = try host.spawn(
            "\(programs)/redis-check",
            [
                "--server", "\(host.address):\(RedisReleases.port)", "--connections", "\(connections)", "--pause",
                "\(pauseMicroseconds)",
            ], output: .pipe, errors: .file(log))
        let latest = Latest()
        self.process = process
        self.latest = latest
        ended = Task {
            await onThread("check-output") {
                guard let output = process.output else { return }
                readLines(output) { line in latest.numbers.withLock { $0.read(line) } }
            }
        }
    }

    /// What it said last.
    package var numbers: CheckNumbers { latest.numbers.withLock { $0 } }

    /// Has it stop, read back what was acknowledged, and report. If it hangs, it is ended, and what it said last is not
    /// final.
    package func finish(within patience: Duration) async throws -> CheckNumbers {
        process.terminate()
        let process = process
        let watch = Task {
            try await Task.sleep(for: patience)
            process.kill()
        }
        _ = try await process.wait()
        watch.cancel()
        await ended.value
        return numbers
    }
}
