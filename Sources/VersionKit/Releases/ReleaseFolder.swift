package import VersionKitModel

/// A release in its publisher's directory, with its layers, to be looked at and checked. Nothing of it is trusted.
package struct ReleaseFolder: Sendable {
    /// Where it is.
    package let path: String
    /// The bytes that are signed.
    package let manifestBytes: [UInt8]
    /// The signature file; `nil`: it is not signed.
    package let signatureBytes: [UInt8]?
    /// What the release says of itself.
    package let manifest: ReleaseManifest
    private let limits: ReleaseLimits

    /// Reads the manifest, and the signature if there is one.
    package init(_ path: String, limits: ReleaseLimits = .standard) throws(ReleaseError) {
        self.path = path
        self.limits = limits
        guard try Disk.kind(of: "\(path)/\(ReleaseFiles.manifest)") != nil else {
            throw ReleaseError(
                .notFound, "\(path) holds no release: it has no \(ReleaseFiles.manifest)", side: .publisher,
                remedy: "name the directory that versionctl release make wrote")
        }
        manifestBytes = try Disk.readFile("\(path)/\(ReleaseFiles.manifest)", bytesMax: limits.manifestBytesMax)
        manifest = try ReleaseManifest(jsonBytes: manifestBytes, limits: limits)
        let signature = "\(path)/\(ReleaseFiles.signature)"
        signatureBytes =
            try Disk.kind(of: signature) == nil
            ? nil : Disk.readFile(signature, bytesMax: limits.signatureBytesMax)
    }

    /// The ids of the keys that signed it, according to its signature file.
    package func signers() throws(ReleaseError) -> [String] {
        guard let signatureBytes else { return [] }
        return try SignatureFile(jsonBytes: signatureBytes, limits: limits).signatures.map(\.keyID)
    }

    /// The chunks of a layer; `nil` if it has none.
    package func chunks(of layer: ReleaseManifest.Layer) throws(ReleaseError) -> ChunkList? {
        guard let digest = layer.chunks else { return nil }
        let file = "\(path)/\(ReleaseFiles.path(chunks: digest))"
        let bytes = try Disk.readFile(file, bytesMax: ChunkList.bytesMax(layer))
        guard ContentHasher.digest(of: bytes) == digest else { throw Self.damaged(file) }
        return try ChunkList(bytes, of: layer)
    }

    /// Reads a whole layer, and checks it as a node does before it unpacks it; what is in it.
    package func files(of layer: ReleaseManifest.Layer) throws(ReleaseError) -> [ArchivedFile] {
        let path = "\(path)/\(ReleaseFiles.path(layer))"
        let file = try OpenFile.reading(path)
        let size = try file.size()
        guard size == layer.size else {
            throw ReleaseError(
                .wrongSize, "\(path) should have \(layer.size) bytes, and has \(size)", side: .publisher,
                remedy: "make the release again")
        }
        guard try file.digest() == layer.digest else { throw Self.damaged(path) }
        for chunk in try chunks(of: layer)?.chunks ?? [] {
            guard try file.digest(of: chunk.range) == chunk.digest else {
                throw ReleaseError(
                    .wrongDigest, "the chunks of \(path) are not those of its list, from byte \(chunk.offset) on",
                    side: .publisher, remedy: "make the release again")
            }
        }
        var scanner = try LayerScanner(layer, limits: limits, isListing: true)
        try file.forEachChunk { (bytes) throws(ReleaseError) in try scanner.feed(bytes) }
        let files = scanner.files
        _ = try scanner.finish()
        return files
    }

    /// Checks what a node checks before it runs a release: signature, expiry, layers, chunks, and the torrent file.
    ///
    /// What only a node knows is not looked at: which versions it runs, and what the root and the channel that it follows say
    /// of the release and of how many have to sign. The keys of `trust` are taken as they are, of which any one suffices.
    ///
    /// - Parameter now: the time that counts for the expiry.
    package func verify(_ trust: TrustPolicy, at now: UTCTime) throws(ReleaseError) {
        guard let signatureBytes else {
            throw ReleaseError(
                .notFound, "\(path) has no \(ReleaseFiles.signature)", side: .publisher,
                remedy: "sign it by versionctl release sign")
        }
        _ = try trust.verify(manifestBytes: manifestBytes, signatureBytes: signatureBytes)
        try trust.acceptance(of: manifest, current: nil, requested: .operator, at: now)
        for layer in manifest.layers { _ = try files(of: layer) }
        try verifyTorrent()
    }

    private func verifyTorrent() throws(ReleaseError) {
        guard let digest = manifest.swarm else { return }
        let file = "\(path)/\(ReleaseFiles.torrent)"
        guard try Disk.kind(of: file) != nil else {
            throw ReleaseError(
                .notFound, "\(file), which the manifest names, is missing", side: .publisher,
                remedy: "make the release again")
        }
        let bytes = try Disk.readFile(file, bytesMax: limits.torrentBytesMax)
        guard ContentHasher.digest(of: bytes) == digest else { throw Self.damaged(file) }
        // What is signed may still be no torrent file of these layers, or one with other hashes of their pieces.
        let right = try ReleaseTorrent(manifest.layers).make { "\(path)/\(ReleaseFiles.path($0))" }
        guard bytes == right else {
            throw ReleaseError(
                .malformed, "\(file) is not that of the release's layers", side: .publisher,
                remedy: "make the release again with versionctl")
        }
    }

    private static func damaged(_ path: String) -> ReleaseError {
        ReleaseError(
            .wrongDigest, "\(path) does not hold what the manifest says", side: .publisher,
            remedy: "make the release again")
    }
}
