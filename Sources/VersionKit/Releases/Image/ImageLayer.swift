internal import VersionKitModel

/// One layer of an image on its way from an archive to a directory.
struct ImageLayer {
    /// How far back a frame may look, as a power of two: 128 MiB, zstd's own bound, which builders keep to.
    private static let windowLogMax: Int32 = 27

    /// Where its archive is unpacked from; it stays there.
    let archive: String
    let target: String
    let limits: ReleaseLimits
    let runner: any CommandRunner

    /// - Parameters:
    ///   - plain: the digest of the archive before it was compressed.
    ///   - bytesMax: the most that the archive may have.
    /// - Returns: how many it has.
    func unpack(
        _ layer: ImageLayout.Descriptor, plain: Digest, from blobs: ImageBlobs, bytesMax: UInt64
    ) async throws(ReleaseError) -> UInt64 {
        guard let packing = ImageLayout.packing(layer.mediaType) else {
            throw ReleaseError(
                .malformed, "layers of the type \(layer.mediaType) are not understood", side: .publisher,
                remedy: "build the image with layers that are compressed by gzip or zstd, or not at all")
        }
        try blobs.check(layer)
        try await unpackArchive(blobs.path(layer.digest), packing, bytesMax: bytesMax)
        var limits = limits
        limits.layerBytesMax = bytesMax
        let found = try LayerScanner.inspect(archive, name: "\(layer.digest)", limits: limits)
        try ImageBlobs.compare(found.digest, with: plain)
        try Disk.makeDirectory(target)
        try await runner.runToSuccess("tar", ReleaseStore.tarArguments(archive, into: target))
        try Whiteouts.mark(in: target)
        return found.size
    }

    /// A few bytes can unpack to any number: the file cannot become longer than it may be.
    private func unpackArchive(
        _ blob: String, _ packing: ImageLayout.Packing, bytesMax: UInt64
    ) async throws(ReleaseError) {
        if packing == .zstd { return try unpackZstd(blob, bytesMax: bytesMax) }
        let program = packing == .gzip ? "gzip -dc" : "cat"
        do throws(ReleaseError) {
            try await runner.runToSuccess(
                "prlimit",
                ["--fsize=\(bytesMax + 1)", "--", "sh", "-c", "exec \(program) < \"$1\" > \"$2\"", "sh", blob, archive])
        } catch {
            let size = try? OpenFile.reading(archive).size()
            if let size, size > bytesMax { try LayerScanner.check(size: size, withMax(bytesMax)) }
            throw error
        }
    }

    private func unpackZstd(_ blob: String, bytesMax: UInt64) throws(ReleaseError) {
        let decompressor = try ZstdDecompressor(bytesMax: bytesMax, windowLogMax: Self.windowLogMax)
        let output = try OpenFile.creating(archive, mode: 0o600)
        try OpenFile.reading(blob).forEachChunk { (bytes) throws(ReleaseError) in
            try decompressor.feed(bytes) { (plain) throws(ReleaseError) in try output.writeAll(plain) }
        }
        try decompressor.finish()
    }

    private func withMax(_ bytesMax: UInt64) -> ReleaseLimits {
        var limits = limits
        limits.layerBytesMax = bytesMax
        return limits
    }
}
