internal import FoundationEssentials
internal import VersionKitModel

/// Signs manifests: the exact bytes, behind a prefix, so that no signature made for anything else fits.
public enum ReleaseSigner {
    private static let domain = "versionkit release manifest v1\n"

    /// The content of `manifest.sig`: a JSON array with one signature.
    public static func sign(_ manifestBytes: [UInt8], with key: PublisherKey) throws(ReleaseError) -> [UInt8] {
        let signature = try key.signature(of: message(for: manifestBytes))
        return SignatureFile(signatures: [
            .init(keyID: key.publicKey.keyID, signature: Base64.encode(signature))
        ]).encoded()
    }

    /// Signs the release in a directory that ``ReleaseMaker`` filled: reads `manifest.json`, writes `manifest.sig`.
    public static func signRelease(in directory: String, with key: PublisherKey) throws(ReleaseError) {
        let manifest = try Disk.readFile(
            "\(directory)/\(ReleaseFiles.manifest)", bytesMax: ReleaseLimits.standard.manifestBytesMax)
        // A publisher hears of a mistake before the nodes do.
        _ = try ReleaseManifest(jsonBytes: manifest)
        try Disk.writeAtomically(
            try sign(manifest, with: key), to: "\(directory)/\(ReleaseFiles.signature)", by: directory)
    }

    /// What is signed for a manifest.
    static func message(for manifestBytes: [UInt8]) -> [UInt8] {
        Array(domain.utf8) + manifestBytes
    }
}

/// The names of the files of a release, in the publisher's directory and in a node's store.
enum ReleaseFiles {
    static let manifest = "manifest.json"
    static let signature = "manifest.sig"
    static let layers = "layers"
}

/// The signatures of one manifest. A list, so that a node can one day ask for more than one publisher.
struct SignatureFile: Equatable {
    struct Signature: Codable, Equatable {
        var keyID: String
        var signature: String
    }

    var signatures: [Signature]

    init(signatures: [Signature]) {
        self.signatures = signatures
    }

    init(jsonBytes: [UInt8], limits: ReleaseLimits) throws(ReleaseError) {
        guard jsonBytes.count <= limits.signatureBytesMax else {
            throw ReleaseError(
                .limitExceeded,
                "the signature file has \(jsonBytes.count) bytes, more than "
                    + "\(limits.signatureBytesMax)", side: .peer, isRetrySafe: true,
                remedy: "fetch it from another node")
        }
        signatures = try JSON.decode([Signature].self, from: jsonBytes, what: ReleaseFiles.signature)
        guard (1...limits.signaturesMax).contains(signatures.count) else {
            throw ReleaseError(
                .malformed, "the signature file holds \(signatures.count) signatures, not 1 to \(limits.signaturesMax)",
                side: .publisher, remedy: "sign the release again")
        }
    }

    func encoded() -> [UInt8] { JSON.encode(signatures) }
}
