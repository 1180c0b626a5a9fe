public import VersionKitModel

/// Decides how a node gets rid of versions that their publishers took back.
///
/// - Note: docs/trust.md.
public enum Withdrawal {
    /// What a node does next.
    public enum Step: Sendable, Hashable {
        /// Nothing: no such version is the newest here, or something is under way that has to end first.
        case nothing
        /// Take this version away; the older one goes on, and lacks nothing.
        case takeAway(Version)
        /// Go back to the newest snapshot of this older version, if its release is not here any more: what was written since
        /// is lost, as the publishers want.
        case goBack(to: Version)
        /// Keep running this one, for there is nothing to go back to.
        case keep(Version)
    }

    /// What to do about the newest version; older ones are about to go by themselves.
    ///
    /// - Parameters:
    ///   - pipelines: those of the versions that neither retired nor were taken away.
    ///   - withdrawn: the versions that nobody should run.
    ///   - snapshots: the versions of which a snapshot is kept here.
    public static func step(
        _ pipelines: [UpgradePipeline], withdrawn: Set<Version>, snapshots: Set<Version>
    ) -> Step {
        guard let newest = pipelines.max(by: { $0.version < $1.version }), withdrawn.contains(newest.version) else {
            return .nothing
        }
        switch newest.state {
        case .undoing, .undone, .working(.retire): return .nothing
        case .working where newest.predecessor != nil || !newest.isServing: return .takeAway(newest.version)
        case .working, .complete:
            let sound = snapshots.filter { $0 < newest.version && !withdrawn.contains($0) }
            return sound.max().map(Step.goBack(to:)) ?? .keep(newest.version)
        }
    }
}
