public import VersionKitModel

/// Versions that do not do the writes which others do, where a write counts only if all did it: as long as one of them
/// keeps failing, nothing is written any more, so it has to go.
///
/// Pure: times are passed in, counted from whenever the caller began.
public struct FailingVersions: Sendable {
    private struct Failing {
        var first: Duration
        var last: Duration
        var reason: String
    }

    private var failing: [Version: Failing] = [:]
    private let patience: Duration

    /// None yet.
    ///
    /// - Parameter patience: for how long a version may fail every write before it counts as one that keeps failing.
    public init(patience: Duration) { self.patience = patience }

    /// Those that did not do a write since they did one.
    public var versions: [Version] { failing.keys.sorted() }

    /// A version did not do a write that another did.
    public mutating func failed(_ version: Version, because reason: String, at now: Duration) {
        // After so long a silence, nobody knows whether it would have done one meanwhile.
        if let known = failing[version], now - known.last < patience {
            failing[version] = Failing(first: known.first, last: now, reason: reason)
        } else {
            failing[version] = Failing(first: now, last: now, reason: reason)
        }
    }

    /// A version did a write.
    public mutating func worked(_ version: Version) { failing[version] = nil }

    /// Forgets versions that are not listed any more; one alone fails nobody else's writes.
    public mutating func keep(_ versions: VersionList) {
        failing = failing.filter { versions.contains($0.key) && versions.count > 1 }
    }

    /// Those that keep failing, and why.
    public var trouble: [Version: String] {
        failing.filter { $0.value.last - $0.value.first >= patience }.mapValues { "it fails every write: \($0.reason)" }
    }
}
