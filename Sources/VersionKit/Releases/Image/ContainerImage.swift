package import VersionKitModel

/// An image in OCI layout that was unpacked, to be looked at and to become layers of a release.
package struct ContainerImage: Sendable, Equatable {
    /// One of its layers.
    package struct Layer: Sendable, Equatable {
        /// The directory with its files; what it takes away from those below is marked as overlayfs wants it.
        package var directory: String
        /// Its archive, not compressed.
        package var archive: String
        /// What the archive is.
        package var digest: Digest
        /// The bytes of the archive.
        package var size: UInt64
    }

    /// Its layers, the lowest first.
    package var layers: [Layer]
    /// What it wants to be started with, arguments included; may be empty.
    package var command: [String]
    /// Variables of its environment, `NAME=value`.
    package var environment: [String]
    /// Whom it wants to run as; empty is root.
    package var user: String
    /// Where it wants to be started; empty is `/`.
    package var workingDirectory: String

    /// Unpacks an image, as `skopeo copy` and `docker buildx build --output type=oci` write them.
    ///
    /// All bytes are compared with their digests, and no name in a layer can lead out of its directory. Layers with devices
    /// are refused.
    ///
    /// - Parameters:
    ///   - layout: the directory with `oci-layout`, `index.json` and `blobs`.
    ///   - directory: filled with a directory and an archive for each layer. Must not exist; is not there if this fails.
    ///   - limits: as for releases; all layers together may have as many bytes as one of those.
    /// - Throws: ``ReleaseError``: `malformed`, `limitExceeded`, `wrongDigest`, `wrongSize`, `unsafeLayer`, `notFound`.
    package static func unpack(
        _ layout: String, into directory: String, limits: ReleaseLimits = .standard, runner: any CommandRunner
    ) async throws(ReleaseError) -> ContainerImage {
        guard try Disk.kind(of: directory) == nil else {
            throw ReleaseError(.conflict, "\(directory) is there already", side: .node, remedy: "remove it first")
        }
        let blobs = ImageBlobs(layout: layout, limits: limits)
        let (manifest, configuration) = try blobs.image()
        try Disk.makeDirectory(directory)
        do throws(ReleaseError) {
            var layers: [Layer] = []
            var bytesLeft = limits.layerBytesMax
            for (index, (layer, plain)) in zip(manifest.layers, configuration.rootfs.diff_ids).enumerated() {
                let target = "\(directory)/\(index)"
                let unpacker = ImageLayer(archive: target + ".tar", target: target, limits: limits, runner: runner)
                let size = try await unpacker.unpack(layer, plain: plain, from: blobs, bytesMax: bytesLeft)
                bytesLeft -= size
                layers.append(Layer(directory: target, archive: unpacker.archive, digest: plain, size: size))
            }
            let settings = configuration.config
            return ContainerImage(
                layers: layers, command: (settings?.Entrypoint ?? []) + (settings?.Cmd ?? []),
                environment: settings?.Env ?? [], user: settings?.User ?? "",
                workingDirectory: settings?.WorkingDir ?? "")
        } catch {
            // The first error is the one to report.
            try? Disk.removeTree(directory)
            throw error
        }
    }
}
