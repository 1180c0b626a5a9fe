public import VersionKitModel

/// Makes a release out of a description: layers, named by their content, and the manifest that lists them.
///
/// The same files give the same bytes, on whatever machine and day: anybody can check what a publisher signed.
public struct ReleaseMaker: Sendable {
    private let runner: any CommandRunner
    private let limits: ReleaseLimits

    /// A maker that runs `tar` by this runner.
    public init(runner: any CommandRunner, limits: ReleaseLimits = .standard) {
        self.runner = runner
        self.limits = limits
    }

    /// Writes `manifest.json` and `layers/<hex>.tar` into a directory, which is made if need be.
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
        for entry in description.files {
            let source = entry.hasPrefix("/") ? entry : "\(description.directory)/\(entry)"
            manifest.layers.append(try await makeLayer(from: source, output: output, for: description.file))
        }
        do {
            try manifest.validate()
        } catch {
            throw DescriptionReader.mistake(
                description.file, "\(error.field): \(error.problem)", remedy: error.remedy)
        }
        try write(manifest, to: output)
        return manifest
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
        let layer = try LayerInspector.inspect(temporary, name: source, limits: limits)
        try Disk.setMode(temporary, 0o644)
        try OpenFile.reading(temporary).flush()
        try Disk.move(temporary, to: "\(output)/\(ReleaseFiles.layers)/\(layer.digest.hex).tar")
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
            try LayerInspector.checkSize(size, limits)
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
