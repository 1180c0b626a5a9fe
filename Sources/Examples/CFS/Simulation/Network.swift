/// How messages travel between simulated nodes.
public struct Network: Sendable {
    /// The longest way between two nodes: they lie at random in a square, and the corners are so far apart one way.
    public var longestWay = Duration.milliseconds(100)
    /// What any message takes at least.
    public var shortestWay = Duration.milliseconds(1)
    /// The share of messages that get lost: requests and replies alike.
    public var loss = 0.0
    /// When a request is sent again for the first time; each time after that takes twice as long, up to two seconds.
    public var firstResend = Duration.milliseconds(500)
    /// How often a request is sent before the other node counts as dead.
    public var sendings = 4

    /// Everything arrives.
    public init() {}

    /// How long until there is no hope for a request.
    var patience: Duration { (0..<sendings).map(resend).reduce(.zero, +) }

    /// How much later a message arrives because copies of it before were lost; nil if all were.
    func delayByLoss(using random: inout SeededRandom) -> Duration? {
        guard loss > 0 else { return .zero }
        var delay = Duration.zero
        for sending in 0..<sendings {
            if Double.random(in: 0..<1, using: &random) >= loss { return delay }
            delay += resend(sending)
        }
        return nil
    }

    func way(from start: (x: Double, y: Double), to end: (x: Double, y: Double)) -> Duration {
        let (dx, dy) = (start.x - end.x, start.y - end.y)
        return shortestWay + longestWay * (((dx * dx + dy * dy) / 2).squareRoot())
    }

    private func resend(_ sending: Int) -> Duration { min(firstResend * (1 << min(sending, 8)), .seconds(2)) }
}
