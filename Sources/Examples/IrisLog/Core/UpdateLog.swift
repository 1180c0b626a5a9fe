import Dispatch
import Glibc
import Synchronization

/// The append-only file behind the database.
///
/// Group commit: whatever is queued while one `fdatasync` runs is made durable by the next one, so many writers
/// share the cost of the disk. After a failed write the log stays failed: nobody knows what the disk has.
final class UpdateLog: Sendable {
    private struct State {
        var queued: [UInt8] = []
        var waiters: [CheckedContinuation<IrisLogError?, Never>] = []
        var isFlushing = false
        var failure: IrisLogError?
        var size: Int
    }

    private let descriptor: Int32
    private let state: Mutex<State>
    private let flusher = DispatchQueue(label: "irislog.log")
    /// Called after a flush with the log's size; folds the log into the snapshot when it grew too large.
    private let afterFlush: Mutex<(@Sendable (Int) -> Void)?> = Mutex(nil)

    /// Opens the log, hands out its records and cuts off a torn tail.
    init(path: String, replay: (LogRecord) -> Void) throws(IrisLogError) {
        let content = try Files.read(path, limit: Limits.snapshotBytes) ?? []
        var rest = content[...]
        while let record = LogRecord.decode(&rest) { replay(record) }
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw Files.failure("open", path) }
        state = Mutex(State(size: rest.startIndex))
        guard ftruncate(descriptor, off_t(rest.startIndex)) == 0, fsync(descriptor) == 0 else {
            throw Files.failure("repair", path)
        }
    }

    deinit { close(descriptor) }

    func onFlush(_ action: @escaping @Sendable (Int) -> Void) {
        afterFlush.withLock { $0 = action }
    }

    /// Queues records; cheap enough to be called under the database's lock, which keeps their order.
    func queue(_ bytes: [UInt8]) {
        state.withLock { $0.queued += bytes }
    }

    /// Returns once everything queued before is on the disk.
    func flushed() async throws(IrisLogError) {
        let failure = await withCheckedContinuation { (waiter: CheckedContinuation<IrisLogError?, Never>) in
            let mustStart = state.withLock { state in
                state.waiters.append(waiter)
                defer { state.isFlushing = true }
                return !state.isFlushing
            }
            if mustStart { flusher.async { self.flush() } }
        }
        if let failure { throw failure }
    }

    /// Empties the file after a snapshot; what is still queued has an older serial and is skipped at replay.
    func truncate() throws(IrisLogError) {
        guard ftruncate(descriptor, 0) == 0, fsync(descriptor) == 0 else { throw Files.failure("truncate", "log") }
        state.withLock { $0.size = 0 }
    }

    private func flush() {
        while true {
            let (bytes, waiters, known) = state.withLock { state in
                defer {
                    state.queued = []
                    state.waiters = []
                }
                return (state.queued, state.waiters, state.failure)
            }
            guard !waiters.isEmpty else {
                // A writer may have come between the two locks; only an empty list ends the flushing.
                let isDone = state.withLock { state in
                    if state.waiters.isEmpty { state.isFlushing = false }
                    return state.waiters.isEmpty
                }
                if isDone { return } else { continue }
            }
            let failure = known ?? write(bytes)
            let size = state.withLock { state in
                state.failure = failure
                if failure == nil { state.size += bytes.count }
                return state.size
            }
            if failure == nil { afterFlush.withLock { $0 }?(size) }
            for waiter in waiters { waiter.resume(returning: failure) }
        }
    }

    private func write(_ bytes: [UInt8]) -> IrisLogError? {
        do throws(IrisLogError) {
            try Files.write(bytes, to: descriptor)
        } catch {
            return error
        }
        return fdatasync(descriptor) == 0 ? nil : Files.failure("sync", "log")
    }
}
