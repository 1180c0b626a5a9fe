/// So many per second and no more, with a burst of a tenth of a second's worth. A pure value.
struct RateLimit: Sendable, Equatable {
    private let perSecond: Int
    private let burst: Int
    private var available: Int
    private var since: Duration = .zero

    init(perSecond: Int) {
        self.perSecond = perSecond
        burst = max(1, perSecond / 10)
        available = burst
    }

    /// Whether one more may be done now; if so, it counts as done.
    mutating func take(at now: Duration) -> Bool {
        let elapsed = now - since
        if elapsed >= .seconds(1) {
            available = burst
            since = now
        } else if elapsed > .zero, perSecond > 0 {
            let earned = Int(elapsed / .seconds(1) * Double(perSecond))
            if earned > 0 {
                available = min(burst, available + earned)
                since += .seconds(1) * earned / perSecond
            }
        }
        guard available > 0 else { return false }
        available -= 1
        return true
    }
}
