public import VersionKitModel

extension ReleaseStore {
    /// The directory with the files of a layer, unpacking it if that was not done before.
    ///
    /// The archive is hashed again and every name in it is looked at before `tar` sees it, so a disk that rotted and a
    /// publisher that went mad are noticed here. All files belong to the user of this process.
    ///
    /// What a layer of an image takes away from those below is marked as overlayfs wants it, with the option `userxattr`.
    ///
    /// - Returns: An absolute path. Nobody may write there: environments get an overlay on it.
    /// - Throws: ``ReleaseError``, `unsafeLayer` for names that lead outside, `notFound` for a layer that is not here.
    public func unpack(
        _ layer: ReleaseManifest.Layer, runner: any CommandRunner
    ) async throws(ReleaseError) -> String {
        let digest = layer.digest
        let target = unpackedPath(layer)
        if try Disk.kind(of: target) == .directory { return target }
        guard try hasLayer(digest) else { throw missing(digest) }
        let archive = layer.isCompressed ? "\(incoming)/archive-\(UInt64.random(in: .min ... .max))" : layerPath(digest)
        defer { if layer.isCompressed { Disk.removeFile(archive) } }
        try check(layer, copyingArchiveTo: layer.isCompressed ? archive : nil)
        let temporary = try Disk.makeTemporaryDirectory(in: incoming)
        do throws(ReleaseError) {
            try await unpack(archive, of: layer, into: temporary, runner: runner)
            if try !Disk.moveIfFree(temporary, to: target) {
                // Somebody else unpacked the same layer meanwhile: the same bytes, as good as ours.
                try Disk.removeTree(temporary)
            }
        } catch {
            // The first error is the one to report; what stays behind is swept at the next opening.
            try? Disk.removeTree(temporary)
            throw error
        }
        try Disk.flushDirectory("\(root)/unpacked")
        return target
    }

    /// Reads a layer once: whether it is what its digest says, and whether it is safe.
    private func check(
        _ layer: ReleaseManifest.Layer, copyingArchiveTo path: String?
    ) throws(ReleaseError) {
        let file = try OpenFile.reading(layerPath(layer.digest))
        let found: Digest
        do throws(ReleaseError) {
            found = try scan(layer, file, copyingArchiveTo: path)
        } catch {
            // What a disk damaged is not the publisher's fault.
            found = try file.digest()
            if found == layer.digest { throw error }
        }
        guard found == layer.digest else {
            throw ReleaseError(
                .wrongDigest, "layer \(layer.digest) was damaged on this node's disk, it now is \(found)", side: .node,
                isRetrySafe: true, remedy: "remove the layer, fetch it again, and check the disk")
        }
    }

    private func scan(
        _ layer: ReleaseManifest.Layer, _ file: borrowing OpenFile, copyingArchiveTo path: String?
    ) throws(ReleaseError) -> Digest {
        var scanner = try LayerScanner(layer, limits: limits)
        if let path {
            let archive = try OpenFile.creating(path, mode: 0o600)
            try file.forEachChunk { (bytes) throws(ReleaseError) in
                try scanner.feed(bytes) { (plain) throws(ReleaseError) in try archive.writeAll(plain) }
            }
        } else {
            try file.forEachChunk { (bytes) throws(ReleaseError) in try scanner.feed(bytes) }
        }
        return try scanner.finish().digest
    }

    private func unpack(
        _ archive: String, of layer: ReleaseManifest.Layer, into directory: String, runner: any CommandRunner
    ) async throws(ReleaseError) {
        try Disk.setMode(directory, 0o755)
        try await runner.runToSuccess("tar", Self.tarArguments(archive, into: directory))
        if layer.isImage { try Whiteouts.mark(in: directory) }
        // A name in `unpacked` promises whole files, after a power cut too.
        Disk.flushEverything()
    }

    /// Modes as the publisher set them whatever the umask here; the top directory stays as it is, so that it can be moved
    /// and entered.
    static func tarArguments(_ archive: String, into directory: String) -> [String] {
        [
            "--extract", "--force-local", "--file=\(archive)", "--directory=\(directory)",
            "--no-same-owner", "--same-permissions", "--no-overwrite-dir",
        ]
    }

    /// Unpacks all layers of a release.
    ///
    /// - Returns: Their directories, lowest first, as an overlay takes them.
    public func unpack(
        _ manifest: ReleaseManifest, runner: any CommandRunner
    ) async throws(ReleaseError) -> [String] {
        var directories: [String] = []
        for layer in manifest.layers { directories.append(try await unpack(layer, runner: runner)) }
        return directories
    }

    /// Where a file of an unpacked release is on this node: the proxy's program, or the migrator's.
    ///
    /// - Parameter path: An absolute path inside the layers.
    /// - Throws: ``ReleaseError``, `notFound` if no unpacked layer has it, `unsafeLayer` if a link leads outside.
    public func file(_ path: String, of manifest: ReleaseManifest) throws(ReleaseError) -> String {
        for layer in manifest.layers.reversed() {
            let directory = unpackedPath(layer)
            guard try Disk.kind(of: "\(directory)\(path)") == .file else { continue }
            let real = try Disk.realPath("\(directory)\(path)")
            guard real.hasPrefix("\(directory)/") else {
                throw ReleaseError(
                    .unsafeLayer, "\(path) leads out of its layer, to \(real)", side: .publisher,
                    remedy: "name the file itself, not a link")
            }
            return real
        }
        throw ReleaseError(
            .notFound, "\(path) is in no unpacked layer of \(manifest.application) \(manifest.version)",
            side: .publisher, remedy: "add the file to the release, or correct its path in the description")
    }
}
