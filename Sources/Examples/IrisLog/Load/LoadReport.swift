import Glibc
import Synchronization

/// What a load has seen.
struct LoadReport: Sendable {
    /// Requests that were answered, or should have been.
    var requests = 0
    /// Of these, those that failed, by reason.
    var failures: [String: Int] = [:]
    /// The values of updates that were acknowledged, by sequence.
    var acknowledged: [UInt64: String] = [:]
    /// Of these, those that could not be read back at the end.
    var lost = 0
    /// The most items that the query of all nodes had.
    var nodesSeen = 0

    var failed: Int { failures.values.reduce(0, +) }

    var progress: String { "progress \(requests) \(failed) \(acknowledged.count)" }

    /// One line, so that it can be read by a program: the reasons come last, separated by `|`.
    var result: String {
        let reasons = failures.sorted { $0.key < $1.key }.map { "\($0.value) x \($0.key)" }.joined(separator: "|")
        return "result \(requests) \(failed) \(acknowledged.count) \(lost) \(nodesSeen) \(reasons)"
    }
}

/// A report that several tasks write.
final class SharedReport: Sendable {
    private let report = Mutex(LoadReport())
    private let stopping = Atomic(false)

    /// Whether the load is to end: no further request begins, and those under way are waited for.
    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    /// Has the load end.
    func stop() { stopping.store(true, ordering: .relaxed) }

    var value: LoadReport { report.withLock { $0 } }

    func change(_ body: (inout LoadReport) -> Void) { report.withLock { body(&$0) } }

    /// Counts one request, which failed if there is a reason: that is also told at once, on standard error.
    func count(failure: String? = nil) {
        if let failure {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            let line = "\(time.tv_sec).\(time.tv_nsec / 1_000_000) \(failure)\n"
            _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        }
        change { report in
            report.requests += 1
            if let failure { report.failures[failure, default: 0] += 1 }
        }
    }
}
