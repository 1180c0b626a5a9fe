internal import CZstd

/// Compresses pieces, each to a frame of its own.
///
/// The same piece gives the same frame, at least with the same version of libzstd: the level is fixed, one thread works, and
/// a frame says how long its content is and has no checksum, since digests are checked anyway.
struct ZstdCompressor: ~Copyable {
    /// Level 6 takes three times as long for a fifteenth less.
    private static let level: Int32 = 3

    private let context: OpaquePointer
    private let output: UnsafeMutableRawBufferPointer

    /// - Parameter pieceBytesMax: the most bytes of a piece.
    init(pieceBytesMax: Int) throws(ReleaseError) {
        guard let context = ZSTD_createCCtx() else { throw ZstdDecompressor.noMemory }
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Self.level)
        self.context = context
        output = .allocate(byteCount: ZSTD_compressBound(pieceBytesMax), alignment: 16)
    }

    deinit {
        ZSTD_freeCCtx(context)
        output.deallocate()
    }

    /// The frame of a piece; it is good until the next one.
    mutating func frame(_ piece: UnsafeRawBufferPointer) throws(ReleaseError) -> UnsafeRawBufferPointer {
        let count = ZSTD_compress2(context, output.baseAddress, output.count, piece.baseAddress, piece.count)
        // With room for the worst case, only memory can fail.
        guard ZSTD_isError(count) == 0 else { throw ZstdDecompressor.noMemory }
        return UnsafeRawBufferPointer(rebasing: output[..<count])
    }
}
