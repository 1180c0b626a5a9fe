public import VersionKitModel

extension ReleaseStore {
    /// The list of a layer's chunks as bytes, to be handed on; whoever gets it checks it.
    ///
    /// - Throws: ``ReleaseError``, `notFound` if it is not here.
    public func readChunks(_ digest: Digest) throws(ReleaseError) -> [UInt8] {
        guard try Disk.kind(of: chunksPath(digest)) == .file else {
            throw ReleaseError(
                .notFound, "the list of chunks \(digest) is not in the store", side: .node, isRetrySafe: true,
                remedy: "fetch it first")
        }
        return try Disk.readFile(chunksPath(digest), bytesMax: ChunkList.bytesMax)
    }

    /// The list of a layer's chunks; `nil` if it has none, or it is not here.
    public func chunks(of layer: ReleaseManifest.Layer) throws(ReleaseError) -> ChunkList? {
        guard let digest = layer.chunks, try Disk.kind(of: chunksPath(digest)) == .file else { return nil }
        let bytes = try Disk.readFile(chunksPath(digest), bytesMax: ChunkList.bytesMax(layer))
        return try checked(bytes, of: layer)
    }

    /// Keeps the list of a layer's chunks, if it has the digest that the manifest names.
    ///
    /// - Returns: the list.
    /// - Throws: ``ReleaseError``: `wrongDigest`, or as ``ChunkList/init(_:of:)``.
    @discardableResult
    public func addChunks(
        _ bytes: [UInt8], of layer: ReleaseManifest.Layer
    ) throws(ReleaseError) -> ChunkList {
        let list = try checked(bytes, of: layer)
        if let digest = layer.chunks { try Disk.writeAtomically(bytes, to: chunksPath(digest), by: incoming) }
        return list
    }

    private func checked(_ bytes: [UInt8], of layer: ReleaseManifest.Layer) throws(ReleaseError) -> ChunkList {
        let found = ContentHasher.digest(of: bytes)
        guard found == layer.chunks else {
            throw ReleaseError(
                .wrongDigest,
                "the list of a layer's chunks should be \(layer.chunks.map(\.description) ?? "none"), not \(found)",
                side: .peer, isRetrySafe: true, remedy: "fetch it from another node")
        }
        return try ChunkList(bytes, of: layer)
    }

    /// Begins to receive a compressed layer: what is here of it, in layers of any release, is at its place at once.
    public func receive(
        _ layer: ReleaseManifest.Layer, chunks: ChunkList
    ) throws(ReleaseError) -> ChunkReceiver {
        try LayerScanner.check(size: layer.size, limits)
        let file = try OpenFile.temporary(in: incoming)
        do throws(ReleaseError) {
            let missing = try place(chunks, in: file)
            return ChunkReceiver(layer, file, missing: missing, target: layerPath(layer.digest))
        } catch {
            Disk.removeFile(file.path)
            throw error
        }
    }

    /// Writes what is here of a layer, in layers of any release, to its place in a file, which is made if need be.
    ///
    /// What was written has the digests of the list.
    ///
    /// - Returns: the chunks that are not here, in their order: their bytes in the file are left as they are.
    public func placeHeldChunks(
        of list: ChunkList, inFile path: String
    ) throws(ReleaseError) -> [ChunkList.Chunk] {
        try place(list, in: OpenFile.updating(path))
    }

    private func place(
        _ list: ChunkList, in file: borrowing OpenFile
    ) throws(ReleaseError) -> [ChunkList.Chunk] {
        let held = try heldChunks(Set(list.chunks.map(\.digest)))
        var missing: [ChunkList.Chunk] = []
        var source: Digest?
        var reader: LayerReader?
        for chunk in list.chunks {
            guard let place = held[chunk.digest] else {
                missing.append(chunk)
                continue
            }
            if source != place.layer {
                // A layer that is removed meanwhile is one that is not here.
                reader = try? readLayer(place.layer)
                source = place.layer
            }
            let bytes = try reader?.read(at: place.offset, count: chunk.length) ?? []
            // Another list's word, and that of a disk, is only believed when it is true.
            guard bytes.count == chunk.length, ContentHasher.digest(of: bytes) == chunk.digest else {
                missing.append(chunk)
                continue
            }
            try bytes.span.bytes.withUnsafeBytes { (raw) throws(ReleaseError) in
                try file.writeAll(raw, at: chunk.offset)
            }
        }
        return missing
    }

    private struct HeldChunk {
        var layer: Digest
        var offset: UInt64
    }

    /// Where these chunks are, according to the lists that are here.
    private func heldChunks(_ wanted: Set<Digest>) throws(ReleaseError) -> [Digest: HeldChunk] {
        var held: [Digest: HeldChunk] = [:]
        var seen: Set<Digest> = []
        for layer in try releases().releases.flatMap(\.manifest.layers) {
            guard seen.insert(layer.digest).inserted, try hasLayer(layer.digest),
                // A damaged list hides its chunks: they are fetched again.
                let list = try? chunks(of: layer)
            else { continue }
            for chunk in list.chunks where wanted.contains(chunk.digest) && held[chunk.digest] == nil {
                held[chunk.digest] = HeldChunk(layer: layer.digest, offset: chunk.offset)
            }
        }
        return held
    }
}
