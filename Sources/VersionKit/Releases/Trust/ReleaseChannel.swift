public import VersionKitModel

/// What an application's publishers want the fleet to run, now: which releases are offered, which are withdrawn.
///
/// Its number only grows, so nobody can bring an old one back; it expires soon, so nobody can keep a new one away unnoticed;
/// it names whole manifests, so nobody can mix parts of several.
///
/// - Note: docs/trust.md; what The Update Framework calls targets, snapshot and timestamp.
public struct ReleaseChannel: TrustDocument {
    public static let title = "channel"
    public static let bytesMax = 64 << 10
    /// The most releases that one channel lists.
    public static let releasesMax = 64
    /// The highest number.
    public static let numberMax: UInt64 = 1 << 53
    /// Bytes of the reason of a withdrawal.
    public static let reasonBytesMax = 200

    /// What the publishers think of a release.
    public enum State: String, Codable, Sendable {
        /// Nodes may begin to run it.
        case offered
        /// Nodes take it away if they can, and never begin to run it again.
        case withdrawn
    }

    /// One release.
    public struct Release: Codable, Sendable, Equatable {
        public var version: Version
        /// The SHA-256 of its manifest.
        public var manifest: Digest
        public var state: State
        /// Why it was withdrawn.
        public var reason: String?

        /// A release that is offered, or with a reason one that is withdrawn.
        public init(version: Version, manifest: Digest, withdrawnFor reason: String? = nil) {
            self.version = version
            self.manifest = manifest
            self.reason = reason
            state = reason == nil ? .offered : .withdrawn
        }
    }

    public private(set) var format = 1
    public var application: ApplicationID
    /// Greater than that of every channel before.
    public var number: UInt64
    public var expires: UTCTime
    /// The releases, by their versions, each once.
    public private(set) var releases: [Release]

    /// A channel; nothing is checked before it is written.
    public init(application: ApplicationID, number: UInt64, expires: UTCTime, releases: [Release] = []) {
        self.application = application
        self.number = number
        self.expires = expires
        self.releases = releases
    }

    /// Offers a release.
    ///
    /// - Throws: ``ReleaseError`` if the version was withdrawn, or is offered with another manifest: a version is published
    ///   once.
    public mutating func offer(_ version: Version, manifest: Digest) throws(ReleaseError) {
        if let present = releases.first(where: { $0.version == version }) {
            guard present.state == .offered, present.manifest == manifest else {
                throw ReleaseError(
                    .conflict, "version \(version) is \(present.state.rawValue) already", side: .publisher,
                    remedy: "publish it under a new version")
            }
            return
        }
        releases = (releases + [Release(version: version, manifest: manifest)]).sorted { $0.version < $1.version }
    }

    /// Withdraws a release that is offered.
    public mutating func withdraw(_ version: Version, reason: String) throws(ReleaseError) {
        guard let index = releases.firstIndex(where: { $0.version == version }) else {
            throw ReleaseError(
                .notFound, "version \(version) is not in the channel", side: .publisher,
                remedy: "see versionctl channel show")
        }
        releases[index] = Release(version: version, manifest: releases[index].manifest, withdrawnFor: reason)
    }

    /// Leaves the oldest releases out, so that there is room for more. What is left out is not offered any more.
    public mutating func forget(before version: Version) { releases.removeAll { $0.version < version } }

    /// What a version's manifest has to be, if the version is offered.
    var offered: [Version: Digest] {
        Dictionary(releases.filter { $0.state == .offered }.map { ($0.version, $0.manifest) }) { first, _ in first }
    }

    /// The versions that are withdrawn, and why.
    public var withdrawn: [Version: String] {
        Dictionary(
            releases.filter { $0.state == .withdrawn }.map { ($0.version, $0.reason ?? "") }
        ) { first, _ in first }
    }

    public func validate() throws(ReleaseError) {
        guard format == 1 else { throw Self.wrong("is of format \(format), and only 1 is known here") }
        guard (1...Self.numberMax).contains(number) else {
            throw Self.wrong("has the number \(number), not 1 to \(Self.numberMax)")
        }
        guard releases.count <= Self.releasesMax else {
            throw Self.wrong("lists more than \(Self.releasesMax) releases")
        }
        for (release, next) in zip(releases, releases.dropFirst()) where release.version >= next.version {
            throw Self.wrong("lists version \(next.version) behind version \(release.version)")
        }
        for release in releases {
            let reason = release.reason ?? ""
            guard (release.state == .withdrawn) == (release.reason != nil), reason.utf8.count <= Self.reasonBytesMax,
                !reason.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) })
            else {
                throw Self.wrong(
                    "has no fitting reason at version \(release.version): a withdrawn release has one, in one line of at most "
                        + "\(Self.reasonBytesMax) bytes")
            }
        }
    }

    private static func wrong(_ problem: String) -> ReleaseError {
        ReleaseError(.malformed, "the \(title) \(problem)", side: .publisher, remedy: "make another")
    }
}
