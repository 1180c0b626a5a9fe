public import VersionKitModel

/// Whose releases of an application this node runs: the publisher keys that its operator pinned, or those of the root.
///
/// In the papers any peer that sends a header makes a node fetch and run its software. Here a peer can only point at a
/// release; who signed it decides.
public struct TrustPolicy: Sendable, Equatable {
    /// The application.
    public let application: ApplicationID
    /// The keys of whom enough have to sign. With none, nothing is accepted.
    private let signers: SignerSet
    /// The manifest of every version that may be accepted; `nil`: any that is signed.
    private let offered: [Version: Digest]?
    /// The bounds of what is read.
    public let limits: ReleaseLimits

    /// A policy for one application: any of these keys may sign.
    public init(application: ApplicationID, keys: [PublisherPublicKey], limits: ReleaseLimits = .standard) {
        self.init(application: application, signers: SignerSet(keys: keys, threshold: 1), offered: nil, limits: limits)
    }

    init(
        application: ApplicationID, signers: SignerSet, offered: [Version: Digest]?, limits: ReleaseLimits = .standard
    ) {
        self.application = application
        self.signers = signers
        self.offered = offered
        self.limits = limits
    }

    /// The manifest in these bytes, if enough of the keys signed exactly them.
    ///
    /// Nothing of the manifest is read before its signature was found good.
    ///
    /// - Throws: ``ReleaseError``: over a limit, malformed, signed by nobody known, signature wrong, other application.
    public func verify(
        manifestBytes: [UInt8], signatureBytes: [UInt8]
    ) throws(ReleaseError) -> ReleaseManifest {
        guard manifestBytes.count <= limits.manifestBytesMax else {
            throw ReleaseError(
                .limitExceeded, "the manifest has \(manifestBytes.count) bytes, more than \(limits.manifestBytesMax)",
                side: .peer, isRetrySafe: true, remedy: "fetch it from another node")
        }
        try signers.check(
            ReleaseSigner.message(for: manifestBytes),
            SignatureFile(jsonBytes: signatureBytes, limits: limits).signatures, what: "manifest",
            whose: "the publishers of \(application)")
        let manifest = try ReleaseManifest(jsonBytes: manifestBytes, limits: limits)
        guard manifest.application == application else {
            throw ReleaseError(
                .otherApplication, "this is a release of \(manifest.application), not of \(application)",
                side: .publisher, remedy: "publish it for \(manifest.application)")
        }
        if let offered, offered[manifest.version] != ContentHasher.digest(of: manifestBytes) {
            throw ReleaseError(
                .notOffered,
                "the channel does not offer this manifest as version \(manifest.version) of \(application)",
                side: .publisher, remedy: "publish the channel that offers it first")
        }
        return manifest
    }
}
