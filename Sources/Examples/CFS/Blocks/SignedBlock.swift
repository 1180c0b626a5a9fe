public import CFSModel
public import NIOCore
public import ONCRPC

/// A block that only the owner of a key can replace: named by the key, not by its content (CFS 2004, `DHASH_KEYHASH`).
///
/// It proves itself to whoever knows its name: key, signature, and what is signed: a version that grows, a salt, the data.
public struct SignedBlock: Hashable, Sendable {
    /// Whose block it is.
    public let key: VerificationKey
    /// Tells it from other blocks of the key.
    public let salt: BlockSalt
    /// Of two blocks of one name the one with the larger version counts. Publishers say seconds since the beginning of 1970.
    ///
    /// The historic nodes take the four bytes for a signed number; both agree until 2038.
    public let version: UInt32
    /// What it is about.
    public let data: ByteBuffer

    private let signature: [UInt8]

    /// Signs some data.
    public init(_ data: ByteBuffer, version: UInt32, salt: BlockSalt = .zero, by signingKey: SigningKey) {
        key = signingKey.verificationKey
        self.salt = salt
        self.version = version
        self.data = data
        signature = signingKey.signature(of: Self.message(data, version: version, salt: salt))
    }

    /// Reads a block that somebody had under this name, and believes it if it proves itself.
    ///
    /// - Parameter seen: The version that was seen last: a node may have an old block still. Nil if none was.
    /// - Throws: ``SignedBlockError``: malformed, wrong key, bad signature, older version.
    public init(_ bytes: ByteBuffer, named name: ChordID, seen: UInt32? = nil) throws(SignedBlockError) {
        guard bytes.readableBytes <= SignedBlockLimits.blockBytes else {
            throw SignedBlockError(.tooLarge(bytes: bytes.readableBytes), block: name)
        }
        do throws(XDRError) {
            self = try XDRReader.readAll(bytes)
        } catch {
            throw SignedBlockError(.malformed(error), block: name)
        }
        guard self.name == name else { throw SignedBlockError(.wrongKey, block: name) }
        guard key.isValid(signature: signature, of: Self.message(data, version: version, salt: salt)) else {
            throw SignedBlockError(.badSignature, block: name)
        }
        if let seen, version < seen { throw SignedBlockError(.olderVersion(version, seen: seen), block: name) }
    }

    /// The name that it has.
    public var name: ChordID { key.blockName(salt: salt) }

    /// The block as it is stored.
    public var bytes: ByteBuffer {
        get throws(SignedBlockError) {
            do throws(XDRError) {
                return try XDRWriter.bytes(of: self)
            } catch {
                throw SignedBlockError(.malformed(error), block: name)
            }
        }
    }

    /// What is signed (CFS 2004, `keyhash_payload::sign`), in another order than it stands in the block.
    private static func message(_ data: ByteBuffer, version: UInt32, salt: BlockSalt) -> [UInt8] {
        var message = salt.bytes
        for shift in stride(from: 24, through: 0, by: -8) {
            message.append(UInt8(truncatingIfNeeded: version >> shift))
        }
        message.append(contentsOf: data.readableBytesView)
        return message
    }
}

extension SignedBlock: XDRCodable {
    private static let signatureBytes = 64
    /// Bytes of the version and the salt, which the length of what is signed counts.
    private static let headBytes = 4 + BlockSalt.byteCount

    /// Reads a block without asking whether it is right; ``init(_:named:seen:)`` asks.
    public init(from reader: inout XDRReader) throws(XDRError) {
        key = try reader.read()
        _ = try reader.read(KeyKind.self)
        signature = Array(try reader.readOpaque(count: Self.signatureBytes).readableBytesView)
        let offset = reader.offset
        let length = Int(try reader.read(UInt32.self))
        guard length >= Self.headBytes else {
            throw XDRError(.truncated(needed: Self.headBytes, left: length), at: offset)
        }
        let dataBytes = length - Self.headBytes
        guard dataBytes <= SignedBlockLimits.signedBytes else {
            throw XDRError(.tooLong(count: dataBytes, max: SignedBlockLimits.signedBytes), at: offset)
        }
        version = try reader.read()
        guard let salt = BlockSalt(Array(try reader.readOpaque(count: BlockSalt.byteCount).readableBytesView)) else {
            preconditionFailure("so many bytes were asked for")
        }
        self.salt = salt
        data = try reader.readOpaque(count: dataBytes)
    }

    /// Writes the block.
    ///
    /// - Throws: `XDRError` if the data is too long.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        guard data.readableBytes <= SignedBlockLimits.signedBytes else {
            throw XDRError(.tooLong(count: data.readableBytes, max: SignedBlockLimits.signedBytes), at: writer.offset)
        }
        try writer.write(key)
        try writer.write(KeyKind.ed25519)
        try writer.writeOpaque(ByteBuffer(bytes: signature), count: Self.signatureBytes)
        try writer.write(UInt32(Self.headBytes + data.readableBytes))
        try writer.write(version)
        try writer.writeOpaque(ByteBuffer(bytes: salt.bytes), count: BlockSalt.byteCount)
        try writer.writeOpaque(data, count: data.readableBytes)
    }
}
