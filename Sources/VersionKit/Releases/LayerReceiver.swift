internal import VersionKitModel

/// Takes the bytes of one layer, in order, and lets them into the store only if they are the right ones.
///
/// Dropping it without ``finish()`` removes what was received.
public struct LayerReceiver: ~Copyable, Sendable {
    private let layer: ReleaseManifest.Layer
    private let file: OpenFile
    private let target: String
    private var hasher = ContentHasher()
    /// Bytes received so far.
    public private(set) var receivedBytes: UInt64 = 0

    init(_ layer: ReleaseManifest.Layer, incoming: String, target: String) throws(ReleaseError) {
        self.layer = layer
        self.target = target
        file = try OpenFile.temporary(in: incoming)
    }

    deinit {
        // After a successful finish the name is gone already.
        Disk.removeFile(file.path)
    }

    /// The next bytes.
    ///
    /// - Throws: ``ReleaseError``, `wrongSize` as soon as there are more than the manifest says.
    public mutating func append(_ bytes: [UInt8]) throws(ReleaseError) {
        try append(bytes.span.bytes)
    }

    /// The next bytes, without a copy.
    public mutating func append(_ bytes: RawSpan) throws(ReleaseError) {
        try bytes.withUnsafeBytes { (raw) throws(ReleaseError) in try append(raw) }
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(ReleaseError) {
        // Checked before anything is written: a peer cannot fill the disk.
        guard UInt64(bytes.count) <= layer.size - receivedBytes else {
            throw wrongSize("more than that came")
        }
        try file.writeAll(bytes)
        hasher.update(bytes)
        receivedBytes += UInt64(bytes.count)
    }

    /// Everything came: checks size and digest, and gives the layer its name in the store.
    ///
    /// - Throws: ``ReleaseError``, `wrongSize` or `wrongDigest`; nothing is left behind then.
    public consuming func finish() throws(ReleaseError) {
        guard receivedBytes == layer.size else { throw wrongSize("\(receivedBytes) came") }
        let digest = hasher.digest()
        guard digest == layer.digest else {
            throw ReleaseError(
                .wrongDigest, "the layer should be \(layer.digest), what came is \(digest)", side: .peer,
                isRetrySafe: true, remedy: "fetch it from another node")
        }
        try Disk.keep(file, as: target)
    }

    private func wrongSize(_ what: String) -> ReleaseError {
        ReleaseError(
            .wrongSize, "layer \(layer.digest) should have \(layer.size) bytes, \(what)", side: .peer,
            isRetrySafe: true, remedy: "fetch it from another node")
    }
}
