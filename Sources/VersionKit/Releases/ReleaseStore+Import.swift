public import VersionKitModel

extension ReleaseStore {
    /// Takes in a release from a publisher's directory: `manifest.json`, `manifest.sig`, `layers`, and `release.torrent` if
    /// the manifest names one.
    ///
    /// Everything is verified on the way. Doing it again after a failure, or twice, does no harm.
    ///
    /// - Returns: The manifest.
    @discardableResult
    public func importRelease(from directory: String, trust: TrustPolicy) throws(ReleaseError) -> ReleaseManifest {
        guard try Disk.kind(of: "\(directory)/\(ReleaseFiles.signature)") != nil else {
            throw ReleaseError(
                .notFound, "\(directory) has no \(ReleaseFiles.signature)", side: .publisher,
                remedy: "make the release and sign it first")
        }
        let manifestBytes = try Disk.readFile(
            "\(directory)/\(ReleaseFiles.manifest)", bytesMax: limits.manifestBytesMax)
        let signatureBytes = try Disk.readFile(
            "\(directory)/\(ReleaseFiles.signature)", bytesMax: limits.signatureBytesMax)
        let manifest = try trust.verify(manifestBytes: manifestBytes, signatureBytes: signatureBytes)
        // Layers first: the release shows up in the list when it is complete.
        for layer in manifest.layers {
            try addLayer(layer, fromFile: "\(directory)/\(ReleaseFiles.path(layer))")
            guard let chunks = layer.chunks else { continue }
            let path = "\(directory)/\(ReleaseFiles.path(chunks: chunks))"
            try addChunks(Disk.readFile(path, bytesMax: ChunkList.bytesMax(layer)), of: layer)
        }
        try add(manifestBytes: manifestBytes, signatureBytes: signatureBytes, trust: trust)
        if manifest.swarm != nil {
            let torrent = try Disk.readFile("\(directory)/\(ReleaseFiles.torrent)", bytesMax: limits.torrentBytesMax)
            try add(torrent: torrent, of: manifest)
        }
        // Before its manifest was here, nothing kept another user of the store from removing a layer again.
        guard try missingLayers(of: manifest).isEmpty else {
            throw ReleaseError(
                .conflict, "a layer of the release was removed while it came in", side: .node, isRetrySafe: true,
                remedy: "publish it again")
        }
        return manifest
    }
}
