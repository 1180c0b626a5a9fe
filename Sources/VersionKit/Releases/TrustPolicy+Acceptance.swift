public import VersionKitModel

/// Who wants this node to run a release.
public enum ReleaseRequest: Sendable, Hashable {
    /// A peer's header spoke of it: only what is newer is of interest.
    case advertised
    /// The operator of this node said so: older releases too.
    case `operator`
}

extension TrustPolicy {
    /// Whether this node should move to a release, given what it runs.
    ///
    /// An old release keeps its good signature for ever, so without this rule any peer could bring back an old mistake.
    ///
    /// - Parameters:
    ///   - current: The newest version that runs here, `nil` if none does.
    ///   - now: The time that counts.
    /// - Throws: ``ReleaseError``, `expired`, `olderVersion` or `sameVersion`.
    public func acceptance(
        of manifest: ReleaseManifest, current: Version?, requested: ReleaseRequest, at now: UTCTime
    ) throws(ReleaseError) {
        guard manifest.application == application else {
            throw ReleaseError(
                .otherApplication, "this is a release of \(manifest.application), not of \(application)",
                side: .publisher)
        }
        if let expires = manifest.expires, expires <= now {
            throw ReleaseError(
                .expired, "version \(manifest.version) was not to be begun with from \(expires) on", side: .publisher,
                remedy: "publish it again under a new version")
        }
        guard let current, requested == .advertised else { return }
        if manifest.version == current {
            throw ReleaseError(
                .sameVersion, "version \(manifest.version) is what this node runs already", side: .peer)
        }
        if manifest.version < current {
            throw ReleaseError(
                .olderVersion, "version \(manifest.version) is older than what this node runs (\(current))",
                side: .peer, remedy: "use versionctl rollback to go back to it")
        }
    }
}
