public import VersionKitModel

/// Whose releases of an application this node runs: the publisher keys that its operator pinned.
///
/// In the papers any peer that sends a header makes a node fetch and run its software. Here a peer can only point at a
/// release; who signed it decides.
public struct TrustPolicy: Sendable, Equatable {
    /// The application.
    public let application: ApplicationID
    /// The pinned keys. With none, nothing is accepted.
    public let keys: [PublisherPublicKey]
    /// The bounds of what is read.
    public let limits: ReleaseLimits

    /// A policy for one application.
    public init(application: ApplicationID, keys: [PublisherPublicKey], limits: ReleaseLimits = .standard) {
        self.application = application
        self.keys = keys
        self.limits = limits
    }

    /// The manifest in these bytes, if a pinned key signed exactly them.
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
        try checkSignature(manifestBytes, SignatureFile(jsonBytes: signatureBytes, limits: limits))
        let manifest = try ReleaseManifest(jsonBytes: manifestBytes, limits: limits)
        guard manifest.application == application else {
            throw ReleaseError(
                .otherApplication, "this is a release of \(manifest.application), not of \(application)",
                side: .publisher, remedy: "publish it for \(manifest.application)")
        }
        return manifest
    }

    private func checkSignature(_ manifestBytes: [UInt8], _ file: SignatureFile) throws(ReleaseError) {
        let message = ReleaseSigner.message(for: manifestBytes)
        var wrong: String?
        for candidate in file.signatures {
            for key in keys where key.keyID == candidate.keyID {
                if let signature = Base64.decode(candidate.signature), key.isValid(signature: signature, of: message) {
                    return
                }
                wrong = candidate.keyID
            }
        }
        if let wrong {
            throw ReleaseError(
                .badSignature, "the signature by key \(wrong) does not belong to this manifest", side: .peer,
                isRetrySafe: true, remedy: "fetch the release from another node, or have it signed again")
        }
        let found = file.signatures.map { $0.keyID.prefix(16) }.joined(separator: ", ")
        let known = keys.isEmpty ? "none" : keys.map(\.keyID).joined(separator: ", ")
        throw ReleaseError(
            .unknownKey, "signed by \(found), but the publishers of \(application) known here are: \(known)",
            side: .publisher, remedy: "pin the publisher's key on this node if you trust it")
    }
}
