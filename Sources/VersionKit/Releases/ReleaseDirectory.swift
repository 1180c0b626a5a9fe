public import VersionKitModel

/// The manifest and signature of a release that lies in a directory, unverified.
public struct ReleaseDirectory: Sendable {
    /// The bytes that were signed.
    public let manifestBytes: [UInt8]
    /// The signature file.
    public let signatureBytes: [UInt8]

    /// The SHA-256 of the manifest: what a channel names.
    public var manifestDigest: Digest { ContentHasher.digest(of: manifestBytes) }

    /// Reads them.
    ///
    /// - Throws: ``ReleaseError`` if the directory has none, or too large ones.
    public init(_ path: String, limits: ReleaseLimits = .standard) throws(ReleaseError) {
        manifestBytes = try Disk.readFile("\(path)/\(ReleaseFiles.manifest)", bytesMax: limits.manifestBytesMax)
        signatureBytes = try Disk.readFile("\(path)/\(ReleaseFiles.signature)", bytesMax: limits.signatureBytesMax)
    }
}
