public import VersionKitModel

/// The chunks of a compressed layer, in their order: each a zstd frame of its own in the layer's file, so that a chunk which
/// two releases share is the same bytes in both.
///
/// As bytes, integers with the most significant byte first:
///
///     8 bytes        "VKchunk1"
///     4 bytes        the number of chunks
///     36 bytes each  the bytes of the chunk (4), their SHA-256 (32)
///
/// Where a chunk begins is not written: it follows from those before it, so no list can have a gap or an overlap.
///
/// A list is believed when it has the digest that the manifest names, and a chunk when its bytes have the chunk's.
public struct ChunkList: Sendable, Equatable {
    /// Bytes of the file of a layer.
    public struct Chunk: Sendable, Equatable {
        /// Where it begins in the file.
        public let offset: UInt64
        /// How many bytes it has, at least 1.
        public let length: Int
        /// The SHA-256 of its bytes.
        public let digest: Digest

        /// Its place in the file.
        public var range: Range<UInt64> { offset..<(offset + UInt64(length)) }
    }

    /// The chunks, without gaps.
    public private(set) var chunks: [Chunk] = []

    /// No chunks.
    public init() {}

    /// The bytes of the layer's file.
    public var fileBytes: UInt64 { chunks.last?.range.upperBound ?? 0 }

    /// Adds a chunk behind the last one.
    mutating func append(length: Int, digest: Digest) {
        chunks.append(Chunk(offset: fileBytes, length: length, digest: digest))
    }
}

extension ChunkList {
    private static let magic = Array("VKchunk1".utf8)
    private static let headBytes = 12
    private static let entryBytes = 36

    /// The most bytes that a chunk has in the file: those of the longest piece of an archive, and what zstd adds where it
    /// cannot compress.
    public static let chunkBytesMax = ContentChunker.bytesMax + 4096

    /// The most chunks of a layer whose archive has so many bytes.
    static func chunksMax(_ layer: ReleaseManifest.Layer) -> Int {
        Int(min(layer.unpackedSize ?? 0, ReleaseManifest.Limits.layerBytesMax)) / ContentChunker.bytesMin + 1
    }

    /// The most bytes of any list.
    static let bytesMax =
        headBytes + (Int(ReleaseManifest.Limits.layerBytesMax) / ContentChunker.bytesMin + 1) * entryBytes

    /// The most bytes of the list of a layer: no peer's number is believed beyond it.
    public static func bytesMax(_ layer: ReleaseManifest.Layer) -> Int { headBytes + chunksMax(layer) * entryBytes }

    /// The list as bytes: the same list, the same bytes.
    public var encoded: [UInt8] {
        var bytes = Self.magic
        bytes.reserveCapacity(Self.headBytes + chunks.count * Self.entryBytes)
        func append(_ number: Int) {
            for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
        }
        append(chunks.count)
        for chunk in chunks {
            append(chunk.length)
            bytes += chunk.digest.bytes
        }
        return bytes
    }

    /// Reads the list of a layer.
    ///
    /// - Throws: ``ReleaseError``: `malformed` for what is no list, or one of another layer; `limitExceeded`.
    public init(_ bytes: [UInt8], of layer: ReleaseManifest.Layer) throws(ReleaseError) {
        guard bytes.starts(with: Self.magic), bytes.count >= Self.headBytes else {
            throw Self.malformed("it does not begin like one")
        }
        func number(_ offset: Int) -> Int { bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) } }
        let count = number(8)
        guard count <= Self.chunksMax(layer) else {
            throw ReleaseError(
                .limitExceeded, "a list of chunks has \(count), more than the \(Self.chunksMax(layer)) of such a layer",
                side: .publisher)
        }
        guard bytes.count == Self.headBytes + count * Self.entryBytes else {
            throw Self.malformed("\(bytes.count) bytes are not those of \(count) chunks")
        }
        chunks.reserveCapacity(count)
        for index in 0..<count {
            let offset = Self.headBytes + index * Self.entryBytes
            let length = number(offset)
            guard (1...Self.chunkBytesMax).contains(length),
                let digest = Digest(bytes: bytes[(offset + 4)..<(offset + Self.entryBytes)])
            else { throw Self.malformed("chunk \(index) has \(length) bytes, not 1 to \(Self.chunkBytesMax)") }
            append(length: length, digest: digest)
        }
        guard fileBytes == layer.size else {
            throw Self.malformed("its chunks have \(fileBytes) bytes, and the layer has \(layer.size)")
        }
    }

    private static func malformed(_ problem: String) -> ReleaseError {
        ReleaseError(
            .malformed, "this is no list of the layer's chunks: \(problem)", side: .publisher,
            remedy: "make the release again")
    }
}
