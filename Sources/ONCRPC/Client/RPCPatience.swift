/// How long a client waits for a reply, and how often it sends the same call.
public struct RPCPatience: Hashable, Sendable {
    /// How long to wait after the call was sent first.
    public var firstTime: Duration
    /// Each time the call is sent again, the wait is so many times longer...
    public var factor: Int
    /// ...but no longer than this.
    public var longestTime: Duration
    /// How often the call is sent altogether.
    public var attempts: Int

    /// Patience.
    ///
    /// - Precondition: at least one attempt, a factor of at least 1.
    public init(firstTime: Duration, factor: Int = 2, longestTime: Duration = .seconds(8), attempts: Int) {
        precondition(attempts >= 1 && factor >= 1, "\(attempts) attempts, factor \(factor)")
        self.firstTime = firstTime
        self.factor = factor
        self.longestTime = longestTime
        self.attempts = attempts
    }

    /// By UDP: at 0, 0.5, 1.5, 3.5 and 7.5 s; given up after 15.5 s.
    public static let datagrams = RPCPatience(firstTime: .milliseconds(500), attempts: 5)

    /// Sent once, as on a stream, which loses nothing.
    public static func once(_ time: Duration) -> RPCPatience {
        RPCPatience(firstTime: time, longestTime: time, attempts: 1)
    }

    /// How long to wait after the call was sent for the `attempt`th time, 1 being the first.
    public func wait(afterAttempt attempt: Int) -> Duration {
        var wait = min(firstTime, longestTime)
        // Ends soon: a wait that grows reaches the longest one, and one that does not needs no loop.
        guard factor > 1, wait > .zero else { return wait }
        for _ in 1..<max(attempt, 1) where wait < longestTime { wait = min(wait * factor, longestTime) }
        return wait
    }

    /// How long it takes to give up.
    public var total: Duration { (1...attempts).reduce(.zero) { $0 + wait(afterAttempt: $1) } }
}
