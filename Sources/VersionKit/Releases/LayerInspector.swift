internal import VersionKitModel

/// Reads a whole layer once: what its digest and size are, and whether it is safe to unpack.
enum LayerInspector {
    /// - Parameter name: What to call the layer in messages.
    static func inspect(
        _ path: String, name: String, limits: ReleaseLimits
    ) throws(ReleaseError) -> ReleaseManifest.Layer {
        var hasher = ContentHasher()
        var scanner = TarScanner(membersMax: limits.layerMembersMax)
        var size: UInt64 = 0
        let file = try OpenFile.reading(path)
        try file.forEachChunk { (chunk) throws(ReleaseError) in
            size += UInt64(chunk.count)
            try checkSize(size, limits)
            hasher.update(chunk)
            do throws(TarScanner.Problem) {
                try scanner.feed(chunk)
            } catch {
                throw unsafeLayer(name, error)
            }
        }
        do throws(TarScanner.Problem) {
            try scanner.finish()
        } catch {
            throw unsafeLayer(name, error)
        }
        return ReleaseManifest.Layer(digest: hasher.digest(), size: size)
    }

    static func checkSize(_ size: UInt64, _ limits: ReleaseLimits) throws(ReleaseError) {
        guard size <= limits.layerBytesMax else {
            throw ReleaseError(
                .limitExceeded, "a layer is larger than \(limits.layerBytesMax) bytes", side: .publisher,
                remedy: "split the files over several layers")
        }
    }

    private static func unsafeLayer(_ name: String, _ problem: TarScanner.Problem) -> ReleaseError {
        ReleaseError(
            .unsafeLayer, "\(name) is not a layer that can be unpacked safely (\(problem.message))", side: .publisher,
            remedy: "make the release again from a plain directory of files, directories and links")
    }
}
