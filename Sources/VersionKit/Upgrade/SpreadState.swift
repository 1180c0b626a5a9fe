public import VersionKitModel

/// Where the spread of one release stands as far as one node knows: who found what, and what that means here.
///
/// The nodes that begin (*canaries*) run the version beside the old one, which they keep until the release is promoted,
/// so that taking it back loses nothing. Each that has watched it for long enough vouches for it. One that had to take
/// it away says so, and that counts more than any number of others: a release is withdrawn by the first bad word.
///
/// A value: what is heard goes in, ``decision`` comes out.
///
/// - Note: DESIGN 8; R14, R15.
public struct SpreadState: Sendable, Hashable {
    /// What a node is to do with the release.
    public enum Decision: Sendable, Hashable {
        /// Begin, or go on, and keep the old version: this node is a canary.
        case tryOut(vouched: Int, needed: Int)
        /// Fetch it, and wait.
        case wait(vouched: Int, needed: Int)
        /// It is promoted: it is a release like any other.
        case goOn
        /// It was found bad: take it away.
        case takeAway(reason: String)
    }

    /// What somebody found.
    public enum Finding: Sendable, Hashable {
        /// It is good.
        case good
        /// It is bad.
        case bad(reason: String)
    }

    private let rule: StagedSpread
    private let isCanary: Bool
    private var good: Set<IPAddress> = []
    private var bad: String?

    /// Nothing was heard yet.
    ///
    /// - Parameters:
    ///   - rank: a number that differs from node to node and release to release, evenly spread over all values, by which
    ///     a node knows by itself whether it is among the first.
    ///   - isGiven: whether an operator gave this node the release.
    public init(_ rule: StagedSpread, rank: UInt64, isGiven: Bool) {
        self.rule = rule
        // In hundredths of all ranks; 100 percent are all of them.
        let percentile = Int(rank.multipliedFullWidth(by: 100).high)
        isCanary = isGiven || percentile < rule.canaryPercent
    }

    /// A node found something. The same node may say it again.
    public mutating func heard(_ finding: Finding, from node: IPAddress) {
        switch finding {
        case .good: if good.count < StagedSpread.promotionsMax { good.insert(node) }
        case .bad(let reason): if bad == nil { bad = "\(node): \(reason)" }
        }
    }

    /// What this node does.
    public var decision: Decision {
        if let bad { return .takeAway(reason: "withdrawn by \(bad)") }
        if good.count >= rule.promotions { return .goOn }
        return isCanary
            ? .tryOut(vouched: good.count, needed: rule.promotions)
            : .wait(vouched: good.count, needed: rule.promotions)
    }
}
