internal import VersionKitModel

/// Takes those bytes of one compressed layer that this node does not hold, chunk by chunk, and lets the layer into the store
/// when it is whole.
///
/// Dropping it without ``finish()`` removes what was received.
public struct ChunkReceiver: ~Copyable, Sendable {
    private let layer: ReleaseManifest.Layer
    private let file: OpenFile
    private let target: String
    /// The chunks that have to come, in their order.
    public let missing: [ChunkList.Chunk]
    /// How many of them came.
    private var received = 0

    init(
        _ layer: ReleaseManifest.Layer, _ file: consuming OpenFile, missing: [ChunkList.Chunk], target: String
    ) {
        self.layer = layer
        self.file = file
        self.missing = missing
        self.target = target
    }

    deinit {
        // After a successful finish the name is gone already.
        Disk.removeFile(file.path)
    }

    /// The bytes that were here already.
    public var heldBytes: UInt64 { layer.size - missingBytes }

    /// The bytes that have to come.
    public var missingBytes: UInt64 { missing.reduce(0) { $0 + UInt64($1.length) } }

    /// The bytes of the next missing chunk.
    ///
    /// - Throws: ``ReleaseError``, `wrongDigest` at once for bytes that are not the chunk's.
    public mutating func append(_ bytes: [UInt8]) throws(ReleaseError) {
        guard received < missing.count else {
            throw ReleaseError(
                .wrongSize, "more came of layer \(layer.digest) than was missing", side: .peer, isRetrySafe: true)
        }
        let chunk = missing[received]
        guard bytes.count == chunk.length, ContentHasher.digest(of: bytes) == chunk.digest else {
            throw ReleaseError(
                .wrongDigest, "what came at \(chunk.offset) of layer \(layer.digest) does not belong there",
                side: .peer,
                isRetrySafe: true, remedy: "fetch it from another node")
        }
        try bytes.span.bytes.withUnsafeBytes { (raw) throws(ReleaseError) in try file.writeAll(raw, at: chunk.offset) }
        received += 1
    }

    /// Everything came: checks the whole, and gives the layer its name in the store.
    ///
    /// - Throws: ``ReleaseError``, `wrongSize` or `wrongDigest`; nothing is left behind then.
    public consuming func finish() throws(ReleaseError) {
        guard received == missing.count else {
            throw ReleaseError(
                .wrongSize, "\(missing.count - received) chunks of layer \(layer.digest) did not come", side: .peer,
                isRetrySafe: true, remedy: "fetch it from another node")
        }
        let digest = try file.digest()
        guard digest == layer.digest else {
            // Each chunk was right: it is the publisher whose list and layer differ.
            throw ReleaseError(
                .wrongDigest, "the layer should be \(layer.digest), its chunks are \(digest)", side: .publisher,
                remedy: "make the release again")
        }
        try Disk.keep(file, as: target)
    }
}
