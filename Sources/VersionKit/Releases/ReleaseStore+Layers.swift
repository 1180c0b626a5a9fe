public import VersionKitModel

extension ReleaseStore {
    /// Whether the archive of a layer is here.
    public func hasLayer(_ digest: Digest) throws(ReleaseError) -> Bool {
        try Disk.kind(of: layerPath(digest)) == .file
    }

    /// The layers of a release that still have to be fetched, or whose list of chunks has to be.
    public func missingLayers(of manifest: ReleaseManifest) throws(ReleaseError) -> [ReleaseManifest.Layer] {
        var missing: [ReleaseManifest.Layer] = []
        for layer in manifest.layers {
            if let list = layer.chunks, try Disk.kind(of: chunksPath(list)) != .file {
                missing.append(layer)
            } else if try !hasLayer(layer.digest) {
                missing.append(layer)
            }
        }
        return missing
    }

    /// The layers of a release that still have to be unpacked.
    package func packedLayers(of manifest: ReleaseManifest) throws(ReleaseError) -> [ReleaseManifest.Layer] {
        var packed: [ReleaseManifest.Layer] = []
        for layer in manifest.layers where try Disk.kind(of: unpackedPath(layer)) != .directory { packed.append(layer) }
        return packed
    }

    /// Begins to receive a layer piece by piece.
    public func receive(_ layer: ReleaseManifest.Layer) throws(ReleaseError) -> LayerReceiver {
        try LayerScanner.check(size: layer.size, limits)
        return try LayerReceiver(layer, incoming: incoming, target: layerPath(layer.digest))
    }

    /// Copies a layer from a file, say a finished download. The file is left alone.
    public func addLayer(_ layer: ReleaseManifest.Layer, fromFile path: String) throws(ReleaseError) {
        if try hasLayer(layer.digest) { return }
        let file = try OpenFile.reading(path)
        var receiver = try receive(layer)
        try file.forEachChunk { (chunk) throws(ReleaseError) in try receiver.append(chunk) }
        try receiver.finish()
    }

    /// Opens a layer to be read in pieces, as other nodes ask for them.
    public func readLayer(_ digest: Digest) throws(ReleaseError) -> LayerReader {
        guard try hasLayer(digest) else { throw missing(digest) }
        return try LayerReader(OpenFile.reading(layerPath(digest)))
    }

    func missing(_ digest: Digest) -> ReleaseError {
        ReleaseError(
            .notFound, "layer \(digest) is not in the store", side: .node, isRetrySafe: true, remedy: "fetch it first")
    }
}

/// Reads a layer piece by piece. Goes on to work when the layer is removed meanwhile.
public struct LayerReader: ~Copyable, Sendable {
    /// Bytes of the whole layer.
    public let size: UInt64
    private let file: OpenFile

    init(_ file: consuming OpenFile) throws(ReleaseError) {
        size = try file.size()
        self.file = file
    }

    /// The bytes from `offset` on: `count` of them, or fewer where the layer ends.
    ///
    /// - Precondition: `count` is not negative.
    public func read(at offset: UInt64, count: Int) throws(ReleaseError) -> [UInt8] {
        guard offset < size else { return [] }
        let count = Int(min(UInt64(count), size - offset))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        defer { buffer.deallocate() }
        return try Array(buffer[..<file.readWhole(into: buffer, at: offset)])
    }
}
