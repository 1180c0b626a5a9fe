internal import FoundationEssentials
internal import VersionKitModel

/// Signs manifests: the exact bytes, behind a prefix, so that no signature made for anything else fits.
public enum ReleaseSigner {
    private static let domain = "versionkit release manifest v1\n"

    /// The content of `manifest.sig` with one signature.
    public static func sign(_ manifestBytes: [UInt8], with key: PublisherKey) throws(ReleaseError) -> [UInt8] {
        try SignatureFile(signatures: []).signed(manifestBytes, by: key)
    }

    /// Signs the release in a directory that ``ReleaseMaker`` filled: reads `manifest.json`, and adds to `manifest.sig` or
    /// makes it.
    public static func signRelease(in directory: String, with key: PublisherKey) throws(ReleaseError) {
        let manifest = try Disk.readFile(
            "\(directory)/\(ReleaseFiles.manifest)", bytesMax: ReleaseLimits.standard.manifestBytesMax)
        // A publisher hears of a mistake before the nodes do.
        _ = try ReleaseManifest(jsonBytes: manifest)
        let path = "\(directory)/\(ReleaseFiles.signature)"
        let limits = ReleaseLimits.standard
        let present =
            try Disk.kind(of: path) == nil
            ? SignatureFile(signatures: [])
            : SignatureFile(jsonBytes: Disk.readFile(path, bytesMax: limits.signatureBytesMax), limits: limits)
        try Disk.writeAtomically(try present.signed(manifest, by: key), to: path, by: directory)
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
    static let torrent = "release.torrent"

    static func path(_ layer: ReleaseManifest.Layer) -> String {
        "\(layers)/\(layer.digest.hex).tar\(layer.isCompressed ? ".zst" : "")"
    }

    static func path(chunks: Digest) -> String { "\(layers)/\(chunks.hex).chunks" }
}

/// The signatures of one manifest.
struct SignatureFile: Equatable {
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

    /// The file's bytes with one more signature.
    func signed(_ manifestBytes: [UInt8], by key: PublisherKey) throws(ReleaseError) -> [UInt8] {
        var signatures = signatures
        try signatures.add(ReleaseSigner.message(for: manifestBytes), by: key)
        return JSON.encode(signatures)
    }
}
