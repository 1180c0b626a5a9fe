/// How messages travel between simulated nodes.
public struct Network: Sendable {
    /// The longest way between two nodes: they lie at random in a square, and the corners are so far apart one way.
    public var longestWay = Duration.milliseconds(100)
    /// What any message takes at least.
    public var shortestWay = Duration.milliseconds(1)
    /// What the way from a node to the net takes at most; most nodes have much less.
    public var longestAccess = Duration.zero
    /// By what share of it the way between two nodes is longer or shorter than where they lie lets expect.
    public var detours = 0.0
    /// The share of messages that get lost: requests and replies alike.
    public var loss = 0.0
    /// When a request is sent again for the first time; each time after that takes twice as long, up to two seconds.
    public var firstResend = Duration.milliseconds(500)
    /// How often a request is sent before the other node counts as dead.
    public var sendings = 4

    /// Everything arrives.
    public init() {}

    /// Somewhat like the Internet between homes and universities: a median round trip of about 150 ms, ways to the net of up to 60 ms, and
    /// detours, so that no coordinates are right for all pairs.
    public static var realistic: Self {
        var network = Self()
        network.longestAccess = .milliseconds(60)
        network.detours = 0.5
        return network
    }

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

    /// Where a node lies.
    struct Place: Sendable {
        var x, y: Double
        /// The way to the net, as a share of the longest one.
        var access = 0.0
    }

    func place(using random: inout SeededRandom) -> Place {
        var place = Place(x: Double.random(in: 0..<1, using: &random), y: Double.random(in: 0..<1, using: &random))
        if longestAccess > .zero {
            let chance = Double.random(in: 0..<1, using: &random)
            place.access = chance * chance * chance
        }
        return place
    }

    func way(from start: Place, to end: Place) -> Duration {
        let (dx, dy) = (start.x - end.x, start.y - end.y)
        let straight = longestWay * (((dx * dx + dy * dy) / 2).squareRoot())
        guard longestAccess > .zero || detours > 0 else { return shortestWay + straight }
        return shortestWay + straight * detour(start, end) + longestAccess * (start.access + end.access)
    }

    /// The same both ways, and each time.
    private func detour(_ start: Place, _ end: Place) -> Double {
        var random = SeededRandom(seed: start.x.bitPattern ^ end.x.bitPattern)
        let chance = (0..<3).map { _ in Double.random(in: -1...1, using: &random) }.reduce(0, +) / 3
        return 1 + detours * chance
    }

    private func resend(_ sending: Int) -> Duration { min(firstResend * (1 << min(sending, 8)), .seconds(2)) }
}
