/// How a release wants to spread: on some nodes first, on the others only when it proved to be good there.
///
/// - Note: R14, R15; DESIGN 8. The nodes decide by themselves, without any controller: `SpreadState` says how.
public struct StagedSpread: Codable, Sendable, Hashable {
    /// How many of a hundred nodes begin. The node that was given the release always does.
    public var canaryPercent: Int
    /// How long the version has to serve on one of these, without trouble, until that node vouches for it.
    public var observationMilliseconds: Int
    /// How many nodes have to vouch for it until the others begin.
    public var promotions: Int

    /// The most nodes that may be asked for.
    public static let promotionsMax = 32

    /// How a version is looked at that is tried out, if its release does not say: ten times while it is observed, and at least
    /// every five seconds. Who vouches for it has seen that it stays healthy.
    public var steadyHealth: ReleaseManifest.HealthCheck.Steady {
        ReleaseManifest.HealthCheck.Steady(intervalMilliseconds: min(max(observationMilliseconds / 10, 100), 5000))
    }

    /// How a release spreads that asks for nothing: everywhere, at once.
    public static let everywhere = StagedSpread(canaryPercent: 100, observationMilliseconds: 1, promotions: 0)

    /// A spread by these numbers; nothing is checked here.
    public init(canaryPercent: Int = 10, observationMilliseconds: Int = 60_000, promotions: Int = 1) {
        self.canaryPercent = canaryPercent
        self.observationMilliseconds = observationMilliseconds
        self.promotions = promotions
    }
}
