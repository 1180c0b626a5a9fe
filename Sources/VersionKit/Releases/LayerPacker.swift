internal import VersionKitModel

/// Makes the file of a compressed layer out of an archive: one zstd frame for each chunk, one behind the other, which is an
/// ordinary zstd file.
enum LayerPacker {
    /// Writes the layer.
    ///
    /// - Parameter output: an empty file.
    /// - Returns: the layer, and its chunks.
    static func pack(
        _ archive: String, to output: borrowing OpenFile, isImage: Bool
    ) throws(ReleaseError) -> (layer: ReleaseManifest.Layer, chunks: ChunkList) {
        let input = try OpenFile.reading(archive)
        var compressor = try ZstdCompressor(pieceBytesMax: ContentChunker.bytesMax)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 8 * ContentChunker.bytesMax, alignment: 16)
        defer { buffer.deallocate() }
        var whole = ContentHasher()
        var chunks = ChunkList()
        var offset: UInt64 = 0
        while true {
            let filled = try input.readWhole(into: buffer, at: offset)
            var rest = UnsafeRawBufferPointer(rebasing: buffer[..<filled])
            // A cut is looked for in as many bytes as a chunk may have, or in all that is left.
            while rest.count >= ContentChunker.bytesMax || filled < buffer.count && !rest.isEmpty {
                let length = ContentChunker.chunkLength(rest)
                let frame = try compressor.frame(UnsafeRawBufferPointer(rebasing: rest[..<length]))
                try output.writeAll(frame)
                whole.update(frame)
                chunks.append(length: frame.count, digest: ContentHasher.digest(of: frame))
                rest = UnsafeRawBufferPointer(rebasing: rest[length...])
                offset += UInt64(length)
            }
            if filled < buffer.count { break }
        }
        let layer = ReleaseManifest.Layer(
            digest: whole.digest(), size: chunks.fileBytes,
            mediaType: isImage ? ReleaseManifest.Layer.imageZstd : ReleaseManifest.Layer.zstd, unpackedSize: offset,
            chunks: ContentHasher.digest(of: chunks.encoded))
        return (layer, chunks)
    }
}
