import Synchronization

/// Lets the replies of a connection go out in the order of their calls, though these are carried out side by side.
final class ReplyTurns: Sendable {
    private let state = Mutex((next: 0, taken: 0, waiting: [Int: CheckedContinuation<Void, Never>]()))

    /// The place of a call; calls are given theirs in the order in which they came.
    func take() -> Int {
        state.withLock { state in
            defer { state.taken += 1 }
            return state.taken
        }
    }

    /// Does something when everybody before has done so, or given up; the next one's turn is when it is done, or has failed.
    func wait<Failure: Error>(for place: Int, _ body: () async throws(Failure) -> Void) async throws(Failure) {
        await withCheckedContinuation { continuation in
            let isNext = state.withLock { state in
                guard state.next != place else { return true }
                state.waiting[place] = continuation
                return false
            }
            if isNext { continuation.resume() }
        }
        defer { pass() }
        try await body()
    }

    private func pass() {
        let next = state.withLock { state in
            state.next += 1
            return state.waiting.removeValue(forKey: state.next)
        }
        next?.resume()
    }
}
