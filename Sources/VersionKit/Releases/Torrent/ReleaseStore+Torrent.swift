package import VersionKitModel

/// Torrent files, and layers that come in any order.
extension ReleaseStore {
    /// Keeps the torrent file of a release that is in the store.
    ///
    /// - Throws: ``ReleaseError``, `wrongDigest` if it is not the one that the manifest names, `malformed` if it says what no
    ///   torrent file of these layers may say.
    package func add(torrent: [UInt8], of manifest: ReleaseManifest) throws(ReleaseError) {
        let digest = ContentHasher.digest(of: torrent)
        guard digest == manifest.swarm else {
            throw ReleaseError(
                .wrongDigest, "the torrent file should be \(manifest.swarm?.hex ?? "none"), and is \(digest.hex)",
                side: .peer, isRetrySafe: true, remedy: "fetch it from another node")
        }
        guard ReleaseTorrent(manifest.layers).isSound(torrent) else {
            throw ReleaseError(
                .malformed, "the torrent file of version \(manifest.version) is not that of its layers",
                side: .publisher, remedy: "make the release again with versionctl")
        }
        try Disk.writeAtomically(torrent, to: torrentPath(manifest), by: incoming)
    }

    /// The torrent file of a release, if it has one and it is here.
    package func torrent(of manifest: ReleaseManifest) throws(ReleaseError) -> [UInt8]? {
        guard manifest.swarm != nil, try Disk.kind(of: torrentPath(manifest)) == .file else { return nil }
        return try Disk.readFile(torrentPath(manifest), bytesMax: limits.torrentBytesMax)
    }

    private func torrentPath(_ manifest: ReleaseManifest) -> String {
        "\(manifestDirectory(manifest.application, manifest.version))/\(ReleaseFiles.torrent)"
    }

    // MARK: Downloads

    /// The directory for a download by the torrent file with this digest; its layers are in `layers` inside.
    package func downloadDirectory(_ swarm: Digest) -> String { "\(root)/swarm/\(swarm.hex)" }

    /// The file of a layer that is being fetched by a torrent.
    package func downloadPath(_ layer: Digest, _ swarm: Digest) -> String {
        "\(downloadDirectory(swarm))/\(ReleaseTorrent.directory)/\(layer.hex)"
    }

    /// Makes room for layers that are to be fetched by a torrent, and puts to its place what is here of them in layers of any
    /// release. What is there of an earlier try stays.
    ///
    /// The space is taken now: a disk that is full is an error here, and not in the middle.
    ///
    /// - Returns: the bytes that are missing, but for those of an earlier try.
    @discardableResult
    package func prepareDownload(
        of layers: [ReleaseManifest.Layer], by swarm: Digest
    ) throws(ReleaseError) -> UInt64 {
        var missing: UInt64 = 0
        try Disk.makeDirectory("\(downloadDirectory(swarm))/\(ReleaseTorrent.directory)")
        for layer in layers {
            try LayerScanner.check(size: layer.size, limits)
            let path = downloadPath(layer.digest, swarm)
            try OpenFile.allocating(path, bytes: layer.size)
            guard let list = try chunks(of: layer) else {
                missing += layer.size
                continue
            }
            missing += try placeHeldChunks(of: list, inFile: path).reduce(0) { $0 + UInt64($1.length) }
        }
        return missing
    }

    /// Lets a layer into the store that a torrent has brought, if it is the right one. The file stays where it is, under both
    /// names: it is handed on from there.
    ///
    /// - Throws: ``ReleaseError``, `wrongDigest`: then the file is removed.
    package func adopt(_ layer: ReleaseManifest.Layer, by swarm: Digest) throws(ReleaseError) {
        if try hasLayer(layer.digest) { return }
        let path = downloadPath(layer.digest, swarm)
        let file = try OpenFile.reading(path)
        var hasher = ContentHasher()
        try file.forEachChunk { hasher.update($0) }
        guard try file.size() == layer.size, hasher.digest() == layer.digest else {
            Disk.removeFile(path)
            throw ReleaseError(
                .wrongDigest, "the torrent file of the release leads to another layer than \(layer.digest)",
                side: .publisher, remedy: "make the release again with versionctl")
        }
        try Disk.setMode(path, 0o644)
        try file.flush()
        try Disk.addName(layerPath(layer.digest), to: path)
        try Disk.flushDirectory(Disk.parent(of: layerPath(layer.digest)))
    }

    /// Removes what a download has left.
    ///
    /// - Important: Not while it goes on, or is handed on from there.
    package func removeDownload(by swarm: Digest) throws(ReleaseError) { try discard(downloadDirectory(swarm)) }

    /// Removes what downloads have left that are over: their layers have their names in the store, or nobody wants them.
    ///
    /// - Important: Not while one of them is handed on from there.
    package func removeFinishedDownloads() throws(ReleaseError) {
        try withChanges { () throws(ReleaseError) in
            let listing = try releases()
            guard listing.damaged.isEmpty else { return }
            var unfinished: Set<String> = []
            for manifest in listing.releases.map(\.manifest) where try !missingLayers(of: manifest).isEmpty {
                if let swarm = manifest.swarm { unfinished.insert(swarm.hex) }
            }
            for name in try Disk.names(in: "\(root)/swarm") where !unfinished.contains(name) {
                try discard("\(root)/swarm/\(name)")
            }
        }
    }
}
