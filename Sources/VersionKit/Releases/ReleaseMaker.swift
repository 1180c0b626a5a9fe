public import VersionKitModel

/// Makes a release out of a description: layers, named by their content, and the manifest that lists them.
///
/// The same files give the same bytes, on whatever machine and day: anybody can check what a publisher signed.
public struct ReleaseMaker: Sendable {
    private let runner: any CommandRunner
    private let limits: ReleaseLimits
    private let isCompressing: Bool

    /// A maker that runs `tar` by this runner.
    ///
    /// - Parameter isCompressing: whether layers are compressed and cut into chunks, of which a node fetches only those that
    ///   it does not have. Older nodes do not know such layers.
    public init(runner: any CommandRunner, limits: ReleaseLimits = .standard, isCompressing: Bool = true) {
        self.runner = runner
        self.limits = limits
        self.isCompressing = isCompressing
    }

    /// Writes `manifest.json`, `layers` and, unless the release is small, `release.torrent` into a directory, which is made if
    /// need be. In `layers` is `<hex>.tar.zst` with `<hex>.chunks`, or `<hex>.tar`.
    ///
    /// A signature that stands there is kept if the manifest did not change, and removed if it did.
    ///
    /// - Returns: The manifest, ready to be signed: see ``ReleaseSigner/signRelease(in:with:)``.
    public func make(
        description: ReleaseDescription, into output: String
    ) async throws(ReleaseError) -> ReleaseManifest {
        let layers = "\(output)/\(ReleaseFiles.layers)"
        try Disk.makeDirectory(layers)
        var manifest = description.manifest
        manifest.layers = []
        if let path = description.image {
            let source = ImageSource(path: description.path(path), limits: limits, runner: runner)
            let temporary = try Disk.makeTemporaryDirectory(in: output)
            defer { try? Disk.removeTree(temporary) }
            let image = try await source.unpack(into: temporary)
            try ImageStart(image).complete(&manifest, for: description)
            manifest.layers = try image.layers.unique.map { (layer) throws(ReleaseError) in
                try keep(
                    layer.archive,
                    .init(digest: layer.digest, size: layer.size, mediaType: ReleaseManifest.Layer.image),
                    output: output)
            }
        } else {
            try ImageStart(nil).complete(&manifest, for: description)
        }
        for entry in description.debs {
            manifest.layers.append(try await makeLayer(package: description.path(entry), output: output))
        }
        for entry in description.files {
            let source = description.path(entry)
            manifest.layers.append(try await makeLayer(from: source, output: output, for: description.file))
        }
        manifest.swarm = try makeTorrent(of: manifest.layers, output: output)
        manifest.format = manifest.formatNeeded
        do {
            try manifest.validate()
        } catch {
            throw DescriptionReader.mistake(
                description.file, "\(error.field): \(error.problem)", remedy: error.remedy)
        }
        try write(manifest, to: output)
        return manifest
    }

    private func makeTorrent(
        of layers: [ReleaseManifest.Layer], output: String
    ) throws(ReleaseError) -> Digest? {
        let path = "\(output)/\(ReleaseFiles.torrent)"
        guard ReleaseTorrent.isWorthwhile(layers) else {
            Disk.removeFile(path)
            return nil
        }
        let torrent = try ReleaseTorrent(layers).make { "\(output)/\(ReleaseFiles.path($0))" }
        try Disk.writeAtomically(torrent, to: path, by: output)
        return ContentHasher.digest(of: torrent)
    }

    private func makeLayer(
        from source: String, output: String, for file: String
    ) async throws(ReleaseError) -> ReleaseManifest.Layer {
        let temporary = try OpenFile.temporary(in: output).path
        defer { Disk.removeFile(temporary) }
        switch try Disk.kind(of: source) {
        case .directory: try await archive(source, as: temporary, output: output, for: file)
        case .file: try copy(source, to: temporary)
        default:
            throw DescriptionReader.mistake(
                file, "\"files\" names \(source), which is neither a directory nor a tar archive",
                remedy: "name a directory beside the description")
        }
        let found = try LayerScanner.inspect(temporary, name: source, limits: limits)
        return try keep(temporary, .init(digest: found.digest, size: found.size), output: output)
    }

    private func makeLayer(
        package path: String, output: String
    ) async throws(ReleaseError) -> ReleaseManifest.Layer {
        let archive = try OpenFile.temporary(in: output).path
        defer { Disk.removeFile(archive) }
        let package = DebianPackage(path: path, runner: runner)
        try await package.writeArchive(to: archive, bytesMax: limits.layerBytesMax)
        let found = try LayerScanner.inspect(archive, name: path, limits: limits)
        let identity = try await package.identity(by: archive + "-fields")
        return try keep(archive, .init(digest: found.digest, size: found.size, package: identity), output: output)
    }

    /// Makes an archive that was looked at a layer of the release.
    private func keep(
        _ archive: String, _ plain: ReleaseManifest.Layer, output: String
    ) throws(ReleaseError) -> ReleaseManifest.Layer {
        guard isCompressing else {
            try Disk.keep(OpenFile.reading(archive), as: "\(output)/\(ReleaseFiles.path(plain))")
            return plain
        }
        let file = try OpenFile.temporary(in: output)
        defer { Disk.removeFile(file.path) }
        let packed = try LayerPacker.pack(archive, to: file, isImage: plain.isImage)
        if let chunks = packed.layer.chunks {
            try Disk.writeAtomically(
                packed.chunks.encoded, to: "\(output)/\(ReleaseFiles.path(chunks: chunks))", by: output)
        }
        try Disk.keep(file, as: "\(output)/\(ReleaseFiles.path(packed.layer))")
        var layer = packed.layer
        layer.package = plain.package
        return layer
    }

    private func archive(
        _ source: String, as target: String, output: String, for file: String
    ) async throws(ReleaseError) {
        let real = try Disk.realPath(source)
        guard !"\(try Disk.realPath(output))/".hasPrefix(real == "/" ? real : "\(real)/") else {
            throw DescriptionReader.mistake(
                file, "the output directory is inside \(source), so the release would hold itself",
                remedy: "choose an output directory elsewhere")
        }
        // Every source of difference between two machines is fixed. Hard links are written as files of their own,
        // since whether two equal files share an inode depends on how they were copied. `--force-local`: a colon in
        // the path does not mean another host.
        try await runner.runToSuccess(
            "tar",
            [
                "--create", "--force-local", "--file=\(target)", "--directory=\(real)", "--sort=name", "--mtime=@0",
                "--owner=0", "--group=0", "--numeric-owner", "--format=gnu", "--hard-dereference", ".",
            ])
    }

    private func copy(_ source: String, to target: String) throws(ReleaseError) {
        Disk.removeFile(target)
        let copy = try OpenFile.creating(target, mode: 0o600)
        var size: UInt64 = 0
        try OpenFile.reading(source).forEachChunk { (chunk) throws(ReleaseError) in
            size += UInt64(chunk.count)
            try LayerScanner.check(size: size, limits)
            try copy.writeAll(chunk)
        }
    }

    private func write(_ manifest: ReleaseManifest, to output: String) throws(ReleaseError) {
        let path = "\(output)/\(ReleaseFiles.manifest)"
        let bytes = manifest.canonicalBytes()
        if try Disk.kind(of: path) != nil {
            if try Disk.readFile(path, bytesMax: limits.manifestBytesMax) == bytes { return }
            Disk.removeFile("\(output)/\(ReleaseFiles.signature)")
        }
        try Disk.writeAtomically(bytes, to: path, by: output)
    }
}

extension [ContainerImage.Layer] {
    /// Each once: whatever a layer does further down, it does again, and more, at its topmost place.
    fileprivate var unique: [ContainerImage.Layer] {
        indices.filter { index in !self[(index + 1)...].contains { $0.digest == self[index].digest } }.map { self[$0] }
    }
}

extension ReleaseDescription {
    /// Where something is that it names.
    fileprivate func path(_ name: String) -> String { name.hasPrefix("/") ? name : "\(directory)/\(name)" }
}
