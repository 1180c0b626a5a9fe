internal import CZstd

/// Decompresses zstd frames, one behind the other, as their bytes come, with bounds that no input can get around: on the
/// bytes that come out, and on the memory for it.
final class ZstdDecompressor {
    private let stream: OpaquePointer
    private let buffer: UnsafeMutableRawBufferPointer
    private let bytesMax: UInt64
    private let side: ReleaseError.Side
    /// What the library wants next; 0 between two frames.
    private var wanted = 0
    /// Bytes that came out.
    private(set) var bytes: UInt64 = 0

    /// - Parameters:
    ///   - bytesMax: the most bytes that may come out.
    ///   - windowLogMax: the most that a frame may look back, as a power of two: that much memory is needed.
    init(bytesMax: UInt64, windowLogMax: Int32, side: ReleaseError.Side = .publisher) throws(ReleaseError) {
        guard let stream = ZSTD_createDStream() else { throw Self.noMemory }
        ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, windowLogMax)
        self.stream = stream
        self.bytesMax = bytesMax
        self.side = side
        buffer = .allocate(byteCount: ZSTD_DStreamOutSize(), alignment: 16)
    }

    deinit {
        ZSTD_freeDStream(stream)
        buffer.deallocate()
    }

    /// Takes the next bytes, in pieces of any size, and hands on what comes out of them.
    ///
    /// - Throws: ``ReleaseError``: `malformed` for what is no zstd, `limitExceeded` as soon as too much comes out.
    func feed(
        _ bytes: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) throws(ReleaseError) -> Void
    ) throws(ReleaseError) {
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        var isFull = false
        while input.pos < input.size || isFull {
            var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
            let result = ZSTD_decompressStream(stream, &output, &input)
            guard ZSTD_isError(result) == 0 else {
                throw ReleaseError(
                    .malformed,
                    "the archive is not compressed as it should be (\(String(cString: ZSTD_getErrorName(result))))",
                    side: side, remedy: "make it again by versionctl or zstd")
            }
            wanted = result
            self.bytes += UInt64(output.pos)
            guard self.bytes <= bytesMax else {
                throw ReleaseError(
                    .limitExceeded, "the archive unpacks to more than the \(bytesMax) bytes that it may have",
                    side: side,
                    remedy: "make it again, or split the files over several layers")
            }
            if output.pos > 0 { try take(UnsafeRawBufferPointer(rebasing: buffer[..<output.pos])) }
            // A full buffer: there may be more to come out of what went in.
            isFull = output.pos == output.size && result != 0
        }
    }

    /// The input is over: was it whole?
    func finish() throws(ReleaseError) {
        guard wanted == 0 else {
            throw ReleaseError(
                .malformed, "the compressed archive is cut off", side: side, isRetrySafe: true, remedy: "get it again")
        }
    }

    static var noMemory: ReleaseError {
        ReleaseError(.system, "there is no memory to compress or decompress a layer", side: .node, isRetrySafe: true)
    }
}
