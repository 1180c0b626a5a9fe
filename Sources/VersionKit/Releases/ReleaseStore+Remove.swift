public import VersionKitModel

extension ReleaseStore {
    /// Removes a release, and the layers that no other release here uses.
    ///
    /// - Important: The caller makes sure that no environment has one of its layers underneath.
    /// - Throws: ``ReleaseError``, `notFound` if the store does not have it.
    public func remove(_ application: ApplicationID, _ version: Version) throws(ReleaseError) {
        try withChanges { () throws(ReleaseError) in
            let directory = manifestDirectory(application, version)
            guard try Disk.kind(of: directory) != nil else {
                throw ReleaseError(
                    .notFound, "version \(version) of \(application) is not in the store", side: .node,
                    remedy: "see the list of releases")
            }
            // A damaged manifest can be removed too; its layers then wait for `removeUnusedLayers`.
            let manifest = (try? release(application, version))?.manifest
            // First the manifest: a crash leaves layers without a release, never a release without layers.
            try discard(directory)
            if let swarm = manifest?.swarm { try discard(downloadDirectory(swarm)) }
            try removeLayers(Set((manifest?.layers ?? []).flatMap(\.digests)))
        }
    }

    /// Removes all layers that no release here uses, say those of downloads that were given up.
    ///
    /// - Important: Not while a release is being fetched whose manifest was not added yet.
    public func removeUnusedLayers() throws(ReleaseError) {
        try withChanges { () throws(ReleaseError) in
            let names = try Disk.names(in: "\(root)/layers") + Disk.names(in: "\(root)/unpacked")
            try removeLayers(Set(names.compactMap { Digest(hex: String($0.prefix { !"-.".contains($0) })) }))
        }
    }

    private func removeLayers(_ candidates: Set<Digest>) throws(ReleaseError) {
        let listing = try releases()
        // Whose layers these are cannot be told while a manifest is unreadable: keep them all.
        guard listing.damaged.isEmpty else { return }
        let used = Set(listing.releases.flatMap { $0.manifest.layers.flatMap(\.digests) })
        for digest in candidates.subtracting(used) {
            for path in [layerPath(digest), chunksPath(digest)] { Disk.removeFile(path) }
            for path in [unpackedPath(digest), unpackedImagePath(digest)] { try discard(path) }
        }
    }

    /// Takes a tree's name away at one stroke, then removes it at leisure.
    func discard(_ path: String) throws(ReleaseError) {
        guard try Disk.kind(of: path) != nil else { return }
        let trash = try Disk.makeTemporaryDirectory(in: incoming)
        try Disk.move(path, to: "\(trash)/removed")
        try Disk.flushDirectory(Disk.parent(of: path))
        try Disk.removeTree(trash)
    }
}

extension ReleaseManifest.Layer {
    /// What is kept of it in files of their own.
    fileprivate var digests: [Digest] { [digest] + (chunks.map { [$0] } ?? []) }
}
