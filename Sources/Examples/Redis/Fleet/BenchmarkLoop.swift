import Synchronization
import VersionKitProcesses
package import VersionKitTestbed

/// redis-benchmark, over and over: a client that nobody wrote for this, with pipelines and keys that many share.
package final class BenchmarkLoop: Sendable {
    private static let tests = ["set", "get", "incr", "lpush", "rpop", "sadd", "hset", "spop", "zadd"]
    /// Requests of one test: so few that stopping takes no long.
    private static let requestsPerTest = 5000

    private struct Progress {
        var completed = 0
        var troubles: [String] = []
        var isStopping = false
        /// The one that runs.
        var process: HostProcess?
    }

    private final class Shared: Sendable {
        let progress = Mutex(Progress())
    }

    private let shared: Shared
    private let loop: Task<Void, Never>

    /// Starts it against the host's own clients' port.
    package init(on host: TestbedHost) {
        let shared = Shared()
        self.shared = shared
        loop = Task {
            while !shared.progress.withLock({ $0.isStopping }) { await Self.round(on: host, shared) }
        }
    }

    /// Requests of tests that are over.
    package var requests: Int { shared.progress.withLock { $0.completed } }

    /// Waits until the tests under way are over; what went wrong, if anything. Tests that hang are ended.
    package func finish(within patience: Duration) async -> [String] {
        shared.progress.withLock { $0.isStopping = true }
        let shared = shared
        let watch = Task {
            try await Task.sleep(for: patience)
            shared.progress.withLock { $0.process }?.kill()
        }
        await loop.value
        watch.cancel()
        return shared.progress.withLock { $0.troubles }
    }

    private static func round(on host: TestbedHost, _ shared: Shared) async {
        do {
            let process = try host.spawn(
                "redis-benchmark",
                [
                    "-h", host.address, "-p", "\(RedisReleases.port)", "-c", "10", "-P", "4", "-r", "100000",
                    "-n", "\(requestsPerTest)", "-t", tests.joined(separator: ","), "--csv",
                ], output: .pipe)
            shared.progress.withLock { $0.process = process }
            await onThread("benchmark") {
                guard let output = process.output else { return }
                readLines(output) { line in shared.progress.withLock { note(line, &$0) } }
            }
            let exit = try await process.wait()
            guard !exit.isSuccess else { return }
            trouble("redis-benchmark ended with \(exit)", shared)
            // One that cannot begin must not be begun a thousand times a second.
            try await Task.sleep(for: .seconds(1))
        } catch {
            trouble("redis-benchmark: \(error)", shared)
            shared.progress.withLock { $0.isStopping = true }
        }
    }

    private static func trouble(_ text: String, _ shared: Shared) {
        shared.progress.withLock { $0.troubles.append(text) }
    }

    /// A test's line begins with its name in quotes. At the first error that is answered redis-benchmark says so, and ends.
    private static func note(_ line: String, _ progress: inout Progress) {
        if line.hasPrefix("\""), !line.hasPrefix("\"test\"") {
            progress.completed += requestsPerTest
        } else if line.contains("Error") {
            progress.troubles.append("redis-benchmark: \(line)")
        }
    }
}
