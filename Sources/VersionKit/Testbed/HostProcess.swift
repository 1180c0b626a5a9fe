internal import CLinux
internal import Glibc
internal import Synchronization

/// A process on a host of a testbed, the leader of a process group of its own.
///
/// It ends with its testbed at the latest: `Testbed.stop()` kills the whole group.
public final class HostProcess: Sendable {
    /// How a process ended.
    public enum Exit: Sendable, Hashable {
        /// It returned this code.
        case exited(Int32)
        /// This signal ended it.
        case signalled(Int32)

        /// Whether it returned 0.
        public var isSuccess: Bool { self == .exited(0) }
    }

    /// The process's id, as seen in the sandbox.
    public let pid: Int32

    /// The end to read from if the output goes to a pipe. It belongs to this object.
    public var output: Int32? { outputEnd?.number }

    /// Becomes readable when the process has ended. It belongs to this object.
    public var pidfd: Int32 { handle.number }

    private let handle: Descriptor
    private let outputEnd: Descriptor?
    private let ended = Mutex<Exit?>(nil)

    init(pid: Int32, handle: Descriptor, outputEnd: Descriptor?) {
        self.pid = pid
        self.handle = handle
        self.outputEnd = outputEnd
    }

    /// How it ended, or nil while it runs.
    public var exit: Exit? { try? collect() }

    /// Asks the process to end (SIGTERM). Has no effect on one that has ended.
    public func terminate() { signal(SIGTERM) }

    /// Ends the process (SIGKILL), but not those it has started.
    public func kill() { signal(SIGKILL) }

    /// Sends a signal. Has no effect on a process that has ended.
    public func signal(_ number: Int32) {
        _ = vk_pidfd_send_signal(handle.number, number)
    }

    /// Waits for its end. Blocks the thread: for asynchronous code there is `wait()`.
    ///
    /// - Throws: `TestbedError.Code.timedOut` if it still runs after `timeout`.
    public func waitBlocking(timeout: Duration? = nil) throws -> Exit {
        if try !poll(timeout: timeout, alongside: -1) {
            throw TestbedError(.timedOut, "process \(pid) still runs after \(timeout ?? .zero)")
        }
        // The descriptor is readable, so there is something to collect.
        guard let exit = try collect() else {
            throw TestbedError(.system, "process \(pid) has not ended")
        }
        return exit
    }

    /// Waits for its end.
    ///
    /// - Throws: `CancellationError` if the task is cancelled first. The process then goes on.
    public func wait() async throws -> Exit {
        let cancelled = try Descriptor(checking: eventfd(0, Int32(EFD_CLOEXEC)), "eventfd")
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                do {
                    let thread = try WorkerThread {
                        continuation.resume(with: Result { try self.wait(unless: cancelled) })
                    }
                    thread.detach()
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            _ = eventfd_write(cancelled.number, 1)
        }
    }

    /// Kills it and what is left of its group.
    func killGroup() {
        ended.withLock { exit in
            // Once it is collected the number may belong to somebody else.
            if exit == nil { _ = Glibc.kill(-pid, SIGKILL) }
        }
    }

    private func wait(unless cancelled: Descriptor) throws -> Exit {
        _ = try poll(timeout: nil, alongside: cancelled.number)
        guard let exit = try collect() else { throw CancellationError() }
        return exit
    }

    // Any number of threads may wait; whichever comes first collects for all.
    private func collect() throws -> Exit? {
        try ended.withLock { exit in
            if exit != nil { return exit }
            var code: Int32 = 0
            var signal: Int32 = 0
            let result = vk_wait(handle.number, true, &code, &signal)
            if result < 0 { throw TestbedError.system("waiting for process \(pid)") }
            if result > 0 { exit = signal == 0 ? .exited(code) : .signalled(signal) }
            return exit
        }
    }

    // False if the time is over.
    private func poll(timeout: Duration?, alongside other: Int32) throws -> Bool {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        while true {
            var waited = [
                pollfd(fd: handle.number, events: Int16(POLLIN), revents: 0),
                pollfd(fd: other, events: Int16(POLLIN), revents: 0),
            ]
            let left = deadline.map { max(.zero, ContinuousClock.now.duration(to: $0)) }
            // Rounded up, so as not to spin through the last millisecond.
            let milliseconds = left.map { Int32(clamping: ($0.nanoseconds + 999_999) / 1_000_000) } ?? -1
            let count = Glibc.poll(&waited, nfds_t(waited.count), milliseconds)
            if count > 0 { return true }
            if count == 0 { return false }
            if errno != EINTR { throw TestbedError.system("poll") }
        }
    }
}
