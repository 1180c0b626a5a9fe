import Glibc
import RedisCheckModel
import Synchronization

/// What all connections have seen together.
struct Report: Sendable {
    var requests = 0
    var writes = 0
    var failed = 0
    var lost = 0
    /// What went wrong, without what differs from one time to the next.
    var reasons: [String: Int] = [:]

    var progress: String { "progress \(requests) \(failed) \(writes)" }

    /// One line, so that it can be read by a program: the reasons come last, separated by `|`.
    var result: String {
        let texts = reasons.sorted { $0.key < $1.key }.map { "\($0.value) x \($0.key)" }
        return "result \(requests) \(failed) \(writes) \(lost) \(texts.joined(separator: "|"))"
    }
}

/// A report that several threads write.
final class SharedReport: Sendable {
    /// Kinds of reasons that are told one by one.
    private static let reasonsMax = 40

    private let report = Mutex(Report())
    private let stopping = Atomic(false)

    /// Whether the clients are to end: no further request begins.
    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    func stop() { stopping.store(true, ordering: .relaxed) }

    var value: Report { report.withLock { $0 } }

    /// Counts a step that was answered as it should.
    func count(_ step: Step) {
        report.withLock { report in
            report.requests += step.requests.count
            report.writes += step.writes
        }
    }

    /// Counts a step that failed.
    func count(_ step: Step, failure: String) {
        note("failed", failure) { report in
            report.requests += step.requests.count
            report.failed += 1
        }
    }

    /// Counts a connection that could not be made, or one that could not read back.
    func count(failure: String) {
        note("failed", failure) { report in
            report.requests += 1
            report.failed += 1
        }
    }

    func countLost(_ reason: String) {
        note("lost", reason) { $0.lost += 1 }
    }

    /// Standard error hears of it at once, and with the time.
    private func note(_ kind: String, _ reason: String, _ change: (inout Report) -> Void) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let line = "\(time.tv_sec).\(time.tv_nsec / 1_000_000) \(kind): \(reason)\n"
        _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        report.withLock { report in
            change(&report)
            let short = String(reason.prefix(160)).replacing("\n", with: " ").replacing("|", with: "/")
            let known = report.reasons[short] != nil || report.reasons.count < Self.reasonsMax
            report.reasons[known ? short : "other reasons", default: 0] += 1
        }
    }
}
