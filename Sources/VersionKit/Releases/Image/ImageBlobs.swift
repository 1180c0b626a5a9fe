internal import VersionKitModel

/// The files of an image in OCI layout, none of which is believed before it was compared with its digest.
struct ImageBlobs {
    private static let layersMax = 128
    private static let indexesMax = 4

    let layout: String
    let limits: ReleaseLimits

    /// The manifest for this machine, and its configuration.
    func image() throws(ReleaseError) -> (ImageLayout.Manifest, ImageLayout.Configuration) {
        guard try Disk.kind(of: "\(layout)/oci-layout") != nil else {
            throw ReleaseError(
                .notFound, "\(layout) is no image in OCI layout: it has no file oci-layout", side: .publisher,
                remedy: "make one by skopeo copy docker://NAME oci:DIRECTORY, or docker buildx build --output type=oci")
        }
        let version = try decode(ImageLayout.Version.self, at: "oci-layout")
        guard version.imageLayoutVersion == "1.0.0" else {
            throw Self.malformed("it is of version \(version.imageLayoutVersion), not 1.0.0")
        }
        var index = try decode(ImageLayout.Index.self, at: "index.json")
        for _ in 0..<Self.indexesMax {
            guard let descriptor = ImageLayout.choose(index.manifests) else {
                throw ReleaseError(
                    .notFound, "the image has nothing for linux/\(ImageLayout.architecture)", side: .publisher,
                    remedy: "build it for this architecture, too")
            }
            if ImageLayout.isIndex(descriptor.mediaType) {
                index = try decode(ImageLayout.Index.self, descriptor)
                continue
            }
            let manifest = try decode(ImageLayout.Manifest.self, descriptor)
            let configuration = try decode(ImageLayout.Configuration.self, manifest.config)
            guard manifest.layers.count == configuration.rootfs.diff_ids.count else {
                throw Self.malformed("its manifest and its configuration differ in the number of layers")
            }
            guard !manifest.layers.isEmpty, manifest.layers.count <= Self.layersMax else {
                throw ReleaseError(
                    .limitExceeded, "the image has \(manifest.layers.count) layers, not 1 to \(Self.layersMax)",
                    side: .publisher, remedy: "squash it")
            }
            return (manifest, configuration)
        }
        throw Self.malformed("its indexes lead to further indexes, more than \(Self.indexesMax)")
    }

    /// Where a blob is. A digest holds nothing that could lead elsewhere.
    func path(_ digest: Digest) -> String { "\(layout)/blobs/sha256/\(digest.hex)" }

    /// Compares a large blob with its descriptor.
    func check(_ descriptor: ImageLayout.Descriptor) throws(ReleaseError) {
        var hasher = ContentHasher()
        let file = try OpenFile.reading(path(descriptor.digest))
        let size = try file.size()
        guard size == descriptor.size else { throw Self.wrongSize(descriptor, size) }
        try file.forEachChunk { (chunk) throws(ReleaseError) in hasher.update(chunk) }
        try Self.compare(hasher.digest(), with: descriptor.digest)
    }

    static func compare(_ found: Digest, with wanted: Digest) throws(ReleaseError) {
        guard found == wanted else {
            throw ReleaseError(
                .wrongDigest, "a part of the image should be \(wanted), but is \(found)", side: .publisher,
                remedy: "copy the image again")
        }
    }

    static func malformed(_ problem: String) -> ReleaseError {
        ReleaseError(.malformed, "this is not an image that can be used: \(problem)", side: .publisher)
    }

    private static func wrongSize(_ descriptor: ImageLayout.Descriptor, _ size: UInt64) -> ReleaseError {
        ReleaseError(
            .wrongSize, "\(descriptor.digest) should have \(descriptor.size) bytes, but has \(size)", side: .publisher,
            remedy: "copy the image again")
    }

    private func decode<Value: Decodable>(_ type: Value.Type, at name: String) throws(ReleaseError) -> Value {
        let bytes = try Disk.readFile("\(layout)/\(name)", bytesMax: limits.manifestBytesMax)
        return try JSON.decode(type, from: bytes, what: name)
    }

    private func decode<Value: Decodable>(
        _ type: Value.Type, _ descriptor: ImageLayout.Descriptor
    ) throws(ReleaseError) -> Value {
        let bytes = try Disk.readFile(path(descriptor.digest), bytesMax: limits.manifestBytesMax)
        guard UInt64(bytes.count) == descriptor.size else { throw Self.wrongSize(descriptor, UInt64(bytes.count)) }
        try Self.compare(ContentHasher.digest(of: bytes), with: descriptor.digest)
        return try JSON.decode(type, from: bytes, what: descriptor.mediaType)
    }
}
