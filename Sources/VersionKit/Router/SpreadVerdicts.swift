public import VersionKitModel
public import VersionKitWire

/// The verdicts on an application's releases that a node knows, to be acted on, kept and passed on.
///
/// A value with bounds. They came from nodes of the fleet: that is checked before.
public struct SpreadVerdicts: Sendable, Hashable, Codable {
    /// Verdicts that are kept.
    public static let verdictsMax = 64

    /// All of them, in the order in which they came.
    public private(set) var all: [SpreadVerdict.Sealed] = []

    /// None yet.
    public init() {}

    /// Verdicts that were kept. What is beyond the bounds is left out.
    public init(_ kept: [SpreadVerdict.Sealed]) {
        for sealed in kept { add(sealed) }
    }

    /// A verdict came. Of one node about one release the first of each finding counts.
    ///
    /// - Returns: whether it says something that was not known.
    @discardableResult
    public mutating func add(_ sealed: SpreadVerdict.Sealed) -> Bool {
        let verdict = sealed.verdict
        guard
            !all.contains(where: {
                ($0.verdict.version, $0.verdict.manifest) == (verdict.version, verdict.manifest)
                    && ($0.verdict.finding, $0.verdict.node) == (verdict.finding, verdict.node)
            })
        else { return false }
        if all.count >= Self.verdictsMax {
            // A bad word always finds room: the last of the good ones goes.
            guard verdict.finding == .withdrawn, let last = all.lastIndex(where: { $0.verdict.finding == .promoted })
            else { return false }
            all.remove(at: last)
        }
        all.append(sealed)
        return true
    }

    /// Forgets those about older versions than this one: they are decided.
    public mutating func forget(before version: Version) { all.removeAll { $0.verdict.version < version } }

    /// Those about one release.
    public func about(_ version: Version, manifest: Digest) -> [SpreadVerdict] {
        all.map(\.verdict).filter { ($0.version, $0.manifest) == (version, manifest) }
    }

    /// Why a version is not to be begun, by whoever wants it: all releases by this number were withdrawn.
    public func withdrawal(of version: Version) -> String? {
        all.first { $0.verdict.version == version && $0.verdict.finding == .withdrawn }?.verdict.reason
    }
}
