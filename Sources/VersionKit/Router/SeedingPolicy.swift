/// Which releases a node hands on: those that run here, and for a time those that ran or came in.
///
/// A value: time is an argument.
public struct SeedingPolicy: Sendable {
    /// How long a release is handed on that does not run here any more: somebody may be in the middle of fetching it.
    public static let afterwards = Duration.seconds(600)
    /// Releases that are handed on at one time; those that were wanted last stay.
    public static let releasesMax = 32

    private var lastWanted: [Introducer.Release: Duration] = [:]

    /// Hands nothing on.
    public init() {}

    /// A release runs here, or has come in.
    public mutating func want(_ release: Introducer.Release, at now: Duration) { lastWanted[release] = now }

    /// What is to be handed on.
    public mutating func releases(at now: Duration) -> Set<Introducer.Release> {
        lastWanted = lastWanted.filter { now - $0.value <= Self.afterwards }
        for (release, _) in lastWanted.sorted(by: { $0.value > $1.value }).dropFirst(Self.releasesMax) {
            lastWanted[release] = nil
        }
        return Set(lastWanted.keys)
    }
}
