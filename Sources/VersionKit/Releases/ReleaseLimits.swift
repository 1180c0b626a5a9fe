internal import VersionKitModel

/// The bounds of everything that a node reads or keeps of releases.
public struct ReleaseLimits: Sendable, Equatable {
    /// Bytes of a manifest, and of a description.
    public var manifestBytesMax = 1 << 20
    /// Bytes of a signature file.
    public var signatureBytesMax = 64 << 10
    /// Signatures in one file.
    public var signaturesMax = 16
    /// Bytes of one layer.
    public var layerBytesMax: UInt64 = ReleaseManifest.Limits.layerBytesMax
    /// Files, directories and links of one layer.
    public var layerMembersMax = 1_000_000
    /// Bytes of a torrent file: 20 for each piece, of which the largest release that there can be has a hundred thousand.
    public var torrentBytesMax = 4 << 20
    /// Releases of one application that a node keeps; more are refused until some are removed.
    public var releasesMax = 16

    /// The defaults, as above.
    public init() {}

    /// The defaults.
    public static let standard = ReleaseLimits()
}
