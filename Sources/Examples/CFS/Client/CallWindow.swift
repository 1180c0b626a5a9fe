import DequeModule
import Synchronization

/// Lets so many through at a time, the others in the order in which they came.
final class CallWindow: Sendable {
    private struct State {
        var free: Int
        var next = 0
        var waiting: [Int: CheckedContinuation<Bool, Never>] = [:]
        var order = Deque<Int>()
    }

    private let state: Mutex<State>

    init(_ width: Int) {
        precondition(width > 0, "a window that nobody gets through")
        state = Mutex(State(free: width))
    }

    /// Waits for its turn. Whoever got through says ``leave()`` afterwards.
    ///
    /// - Returns: Whether its turn came before the task was cancelled.
    func enter() async -> Bool {
        if Task.isCancelled { return false }
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    if state.free > 0 {
                        state.free -= 1
                        return true
                    }
                    state.waiting[number] = continuation
                    state.order.append(number)
                    return false
                }
                if isFree { continuation.resume(returning: true) }
            }
        } onCancel: {
            // If it comes before the wait begins, the turn comes all the same, and is short.
            cancel(number)
        }
    }

    /// Lets the next one through.
    func leave() {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard let number = state.order.popFirst() else {
                state.free += 1
                return nil
            }
            return state.waiting.removeValue(forKey: number)
        }
        next?.resume(returning: true)
    }

    private func cancel(_ number: Int) {
        let cancelled = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard let waiting = state.waiting.removeValue(forKey: number) else { return nil }
            state.order.removeAll { $0 == number }
            return waiting
        }
        cancelled?.resume(returning: false)
    }
}
