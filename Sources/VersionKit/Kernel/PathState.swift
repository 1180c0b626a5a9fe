import Synchronization

/// What a fast path has open, until it is removed. What two callers do comes one after the other. Thread-safe.
final class PathState<State: Sendable>: Sendable {
    private let state: Mutex<State?>

    init(_ state: State) { self.state = Mutex(state) }

    /// The state, which is nobody else's any more; `nil`: it was taken before.
    func take() -> State? {
        state.withLock { state in
            defer { state = nil }
            return state
        }
    }

    /// What `body` does has happened even if it throws.
    func change<Result: Sendable>(
        _ body: (inout State) throws(KernelPathError) -> Result
    ) throws(KernelPathError) -> Result {
        let result = state.withLock { state -> Swift.Result<Result, KernelPathError> in
            guard var changed = state else { return .failure(KernelPathError("the fast path was removed")) }
            defer { state = changed }
            do throws(KernelPathError) { return .success(try body(&changed)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
