public import VersionKitModel
internal import VersionKitProcesses

extension ReleaseStore {
    /// The directory with the files of a layer, unpacking it if that was not done before.
    ///
    /// Every name in the archive is looked at before `tar` sees it, and what that makes of it counts only when the archive
    /// was hashed again, so a publisher that went mad and a disk that rotted are noticed here. All files belong to the user
    /// of this process.
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
        // What is decompressed is looked at on its way to `tar`: once is enough.
        if !layer.isCompressed { try look(at: layer) }
        let temporary = try Disk.makeTemporaryDirectory(in: incoming)
        do throws(ReleaseError) {
            async let digest = onThread("hash") { self.digest(of: layer) }
            let unpacked = await Result { () async throws(ReleaseError) in
                try await unpack(layer, into: temporary, runner: runner)
            }
            // Of what rotted, `tar` may have said something else.
            try check(await digest.get(), of: layer)
            try unpacked.get()
            if try !Disk.moveIfFree(temporary, to: target) {
                // Somebody else unpacked the same layer meanwhile: the same bytes, as good as ours.
                try Disk.removeTree(temporary)
            }
        } catch {
            // The first error is the one to report; what stays behind is swept at the next opening.
            try? Disk.removeTree(temporary)
            throw error
        }
        return target
    }

    /// Whether a layer is safe.
    private func look(at layer: ReleaseManifest.Layer) throws(ReleaseError) {
        do throws(ReleaseError) {
            var scanner = try LayerScanner(layer, limits: limits)
            try OpenFile.reading(layerPath(layer.digest)).forEachChunk { (bytes) throws(ReleaseError) in
                try scanner.look(bytes)
            }
            try scanner.finishLooking()
        } catch {
            // What a disk damaged is not the publisher's fault.
            try check(digest(of: layer).get(), of: layer)
            throw error
        }
    }

    private func digest(of layer: ReleaseManifest.Layer) -> Result<Digest, ReleaseError> {
        Result { () throws(ReleaseError) in try OpenFile.reading(layerPath(layer.digest)).digest() }
    }

    private func check(_ found: Digest, of layer: ReleaseManifest.Layer) throws(ReleaseError) {
        guard found == layer.digest else {
            throw ReleaseError(
                .wrongDigest, "layer \(layer.digest) was damaged on this node's disk, it now is \(found)", side: .node,
                isRetrySafe: true, remedy: "remove the layer, fetch it again, and check the disk")
        }
    }

    private func unpack(
        _ layer: ReleaseManifest.Layer, into directory: String, runner: any CommandRunner
    ) async throws(ReleaseError) {
        try Disk.setMode(directory, 0o755)
        if layer.isCompressed {
            try await decompress(layer) { (archive) throws(ReleaseError) in
                try await runner.runToSuccess("tar", Self.tarArguments("-", into: directory), input: archive)
            }
        } else {
            try await runner.runToSuccess("tar", Self.tarArguments(layerPath(layer.digest), into: directory))
        }
        if layer.isImage { try Whiteouts.mark(in: directory) }
    }

    /// Decompresses a layer, on a thread of its own, for somebody who reads the archive meanwhile, and gets no byte of it that
    /// was not found to be safe.
    private func decompress(
        _ layer: ReleaseManifest.Layer, _ read: (_ archive: Int32) async throws(ReleaseError) -> Void
    ) async throws(ReleaseError) {
        let stream = try ArchiveStream()
        async let sent = onThread("decompress") {
            defer { stream.closeWriter() }
            return Result { () throws(ReleaseError) in try self.send(layer, by: stream) }
        }
        let result = await Result { () async throws(ReleaseError) in try await read(stream.reader) }
        // Who still sends is not waited for by anybody.
        stream.closeReader()
        // What cannot be decompressed is the reason for a reader's trouble with it.
        try await sent.get()
        try result.get()
    }

    private func send(_ layer: ReleaseManifest.Layer, by stream: ArchiveStream) throws(ReleaseError) {
        var scanner = try LayerScanner(layer, limits: limits)
        var isRead = true
        try OpenFile.reading(layerPath(layer.digest)).forEachChunk { (bytes) throws(ReleaseError) in
            // The whole is looked at, also what comes behind the archive's end, where nobody reads any more.
            try scanner.look(bytes) { (plain) throws(ReleaseError) in
                if isRead { isRead = try stream.handOn(plain) }
            }
        }
        try scanner.finishLooking()
    }

    /// Modes as the publisher set them whatever the umask here; the top directory stays as it is, so that it can be moved
    /// and entered. Large records, as each is a turn of its own for who hands the archive on.
    static func tarArguments(_ archive: String, into directory: String) -> [String] {
        [
            "--extract", "--force-local", "--file=\(archive)", "--directory=\(directory)",
            "--no-same-owner", "--same-permissions", "--no-overwrite-dir", "--blocking-factor=512",
            "--read-full-records",
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

extension Result {
    /// What comes of a piece of work that is to be judged later.
    fileprivate init(catching body: () async throws(Failure) -> Success) async {
        do throws(Failure) { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
