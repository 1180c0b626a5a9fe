/// How long one server waits for others on behalf of one request.
///
/// Each is given its own time. A server that was itself asked must also be ready while its asker still waits:
/// however many servers it asks one after the other, what it has until then is its answer.
struct Patience: Sendable {
    private let each: Duration
    private let end: ContinuousClock.Instant?
    private let now: @Sendable () -> ContinuousClock.Instant

    init(_ whole: Duration, hops: Int, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        self.now = now
        each = Self.each(whole, hops: hops)
        end = hops == 0 ? nil : now() + each
    }

    /// How long to wait for one server, if the first asker waits `whole`.
    ///
    /// A server further down waits less, so that its partial answer still arrives while the asker waits.
    static func each(_ whole: Duration, hops: Int) -> Duration { max(whole / 8, whole - whole * (9 * hops) / 80) }

    /// What the other server says; nil if it is out of reach or there is no time left.
    ///
    /// - Throws: What is the fault of the request and not of that server: an incomplete answer would hide it.
    func wait<Value: Sendable>(
        _ ask: (Duration) async throws(IrisLogError) -> Value
    ) async throws(IrisLogError) -> Value? {
        let timeout = end.map { min(each, $0 - now()) } ?? each
        guard timeout > .zero, !Task.isCancelled else { return nil }
        do throws(IrisLogError) {
            return try await ask(timeout)
        } catch {
            switch error.code {
            case .query, .limit: throw error
            case .syntax, .notOwner, .internal, .unreachable: return nil
            }
        }
    }
}
