import CLinux
import Glibc

/// A thread for what blocks: neither the event loops nor Swift's own pool may.
package struct SystemThread: Sendable {
    private let body: @Sendable () -> Void

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// A thread that runs `body` once started. The name, for debuggers, is cut to 15 bytes.
    package init(name: String, _ body: @escaping @Sendable () -> Void) {
        self.body = {
            vk_set_thread_name(String(name.prefix(15)))
            body()
        }
    }

    /// Starts the thread, detached.
    ///
    /// A process that cannot have one more thread cannot go on, and traps.
    package func start() {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Box(body))
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        precondition(result == 0, "no thread could be made: \(String(cString: strerror(result)))")
        pthread_detach(thread)
    }
}

/// Runs what blocks on a thread of its own, and waits for its result.
package func onThread<Result: Sendable>(_ name: String, _ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
        SystemThread(name: name) { continuation.resume(returning: body()) }.start()
    }
}

/// Runs what blocks and may fail on a thread of its own, and waits for its result.
package func tryOnThread<Value: Sendable>(
    _ name: String, _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        SystemThread(name: name) { continuation.resume(with: Result { try body() }) }.start()
    }
}
