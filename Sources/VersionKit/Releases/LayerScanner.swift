public import VersionKitModel

/// Reads the file of a layer as its bytes go by: what its digest and size are, what it unpacks to, and whether that is safe.
///
/// Nothing that it is fed makes it use more memory than a few megabytes, or go on behind the bytes that a layer may have.
public struct LayerScanner: ~Copyable {
    /// How far back a frame may look, as a power of two: 8 MiB, what every decoder should be able to (RFC 8878).
    private static let windowLogMax: Int32 = 23

    private let name: String
    private let limits: ReleaseLimits
    private let unpackedSize: UInt64?
    private let decompressor: ZstdDecompressor?
    private var scanner: TarScanner
    private var hasher = ContentHasher()
    private var size: UInt64 = 0

    /// A scanner of one file.
    ///
    /// - Parameters:
    ///   - name: what to call the layer in messages.
    ///   - unpackedSize: the bytes that it has to unpack to; `nil`: it is not compressed.
    public init(name: String, unpackedSize: UInt64? = nil, limits: ReleaseLimits = .standard) throws(ReleaseError) {
        try self.init(name: name, unpackedSize: unpackedSize, limits: limits, isListing: false)
    }

    private init(name: String, unpackedSize: UInt64?, limits: ReleaseLimits, isListing: Bool) throws(ReleaseError) {
        self.name = name
        self.limits = limits
        self.unpackedSize = unpackedSize
        scanner = TarScanner(membersMax: limits.layerMembersMax, isListing: isListing)
        guard let unpackedSize else {
            decompressor = nil
            return
        }
        decompressor = try Self.decompressor(of: unpackedSize, limits)
    }

    private static func decompressor(
        of unpackedSize: UInt64, _ limits: ReleaseLimits
    ) throws(ReleaseError) -> ZstdDecompressor {
        try check(size: unpackedSize, limits)
        return try ZstdDecompressor(bytesMax: unpackedSize, windowLogMax: windowLogMax)
    }

    /// A scanner of a layer's file.
    ///
    /// - Parameter isListing: whether it keeps what it sees.
    init(
        _ layer: ReleaseManifest.Layer, limits: ReleaseLimits = .standard, isListing: Bool = false
    ) throws(ReleaseError) {
        try self.init(
            name: "\(layer.digest)", unpackedSize: layer.isCompressed ? layer.unpackedSize ?? 0 : nil, limits: limits,
            isListing: isListing)
    }

    /// What it saw so far, if it keeps that.
    var files: [ArchivedFile] { scanner.listing?.files ?? [] }

    /// Takes the next bytes of the file, in pieces of any size.
    ///
    /// - Throws: ``ReleaseError``: `unsafeLayer`, `limitExceeded`, or `malformed` for what is no compressed archive.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer) throws(ReleaseError) {
        hasher.update(bytes)
        try look(bytes)
    }

    /// Takes the next bytes without hashing them, for who does that elsewhere.
    ///
    /// - Parameter handOn: is given what they unpack to, each piece when it was found to be safe.
    mutating func look(
        _ bytes: UnsafeRawBufferPointer,
        _ handOn: (UnsafeRawBufferPointer) throws(ReleaseError) -> Void = { _ in }
    ) throws(ReleaseError) {
        size += UInt64(bytes.count)
        try Self.check(size: size, limits)
        guard let decompressor else {
            try scan(bytes)
            return try handOn(bytes)
        }
        try decompressor.feed(bytes) { (plain) throws(ReleaseError) in
            try scan(plain)
            try handOn(plain)
        }
    }

    private mutating func scan(_ plain: UnsafeRawBufferPointer) throws(ReleaseError) {
        do throws(TarScanner.Problem) {
            try scanner.feed(plain)
        } catch {
            throw unsafe(error)
        }
    }

    /// The file is over: what was it?
    ///
    /// - Throws: ``ReleaseError``: as above, for a file that ends too early too, or `wrongSize`.
    public consuming func finish() throws(ReleaseError) -> (digest: Digest, size: UInt64) {
        try finishLooking()
        return (hasher.digest(), size)
    }

    /// The file is over: was it a safe archive, and whole?
    mutating func finishLooking() throws(ReleaseError) {
        if let decompressor, let unpackedSize {
            try decompressor.finish()
            guard decompressor.bytes == unpackedSize else {
                throw ReleaseError(
                    .wrongSize, "\(name) should unpack to \(unpackedSize) bytes, and has \(decompressor.bytes)",
                    side: .publisher, remedy: "make the release again")
            }
        }
        do throws(TarScanner.Problem) {
            try scanner.finish()
        } catch {
            throw unsafe(error)
        }
    }

    static func check(size: UInt64, _ limits: ReleaseLimits) throws(ReleaseError) {
        guard size <= limits.layerBytesMax else {
            throw ReleaseError(
                .limitExceeded, "a layer is larger than \(limits.layerBytesMax) bytes", side: .publisher,
                remedy: "split the files over several layers")
        }
    }

    private func unsafe(_ problem: TarScanner.Problem) -> ReleaseError {
        ReleaseError(
            .unsafeLayer, "\(name) is not a layer that can be unpacked safely (\(problem.message))", side: .publisher,
            remedy: "make the release again from a plain directory of files, directories and links")
    }

    /// Reads a whole archive that is not compressed.
    static func inspect(
        _ path: String, name: String, limits: ReleaseLimits
    ) throws(ReleaseError) -> (digest: Digest, size: UInt64) {
        var scanner = try LayerScanner(name: name, limits: limits)
        try OpenFile.reading(path).forEachChunk { (chunk) throws(ReleaseError) in try scanner.feed(chunk) }
        return try scanner.finish()
    }
}
