public import CFSModel
import Crypto
import NIOCore
public import ONCRPC

/// The public half of a ``SigningKey``. In blocks it stands where the historic ones had a Rabin key (`sfs_pubkey2`), as a
/// case of its own of that union.
public struct VerificationKey: Hashable, Sendable {
    /// How many bytes one has.
    public static let byteCount = 32

    /// The 32 bytes (RFC 8032, section 5.1.5).
    public let bytes: [UInt8]

    /// The key with these bytes; nil if they are not 32.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// The name of the block that the key signs with this salt: the SHA-1 of both (CFS 2004, `keyhash_payload::id`).
    public func blockName(salt: BlockSalt = .zero) -> ChordID { ChordID(hashing: bytes + salt.bytes) }

    func isValid(signature: [UInt8], of message: [UInt8]) -> Bool {
        do {
            return try Curve25519.Signing.PublicKey(rawRepresentation: bytes)
                .isValidSignature(signature, for: message)
        } catch {
            // Bytes that are no point of the curve sign nothing.
            return false
        }
    }
}

/// The kinds of keys (CFS 2004, `sfs_keytype`). Ours has a number that no historic one had.
enum KeyKind: UInt32, XDREnumeration {
    case ed25519 = 25519
}

extension VerificationKey: XDRCodable {
    /// Reads the union.
    ///
    /// - Throws: `XDRError`; also for a key of another kind, which nobody can check any more.
    public init(from reader: inout XDRReader) throws(XDRError) {
        _ = try reader.read(KeyKind.self)
        bytes = Array(try reader.readOpaque(count: Self.byteCount).readableBytesView)
    }

    /// Writes the union.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.write(KeyKind.ed25519)
        try writer.writeOpaque(ByteBuffer(bytes: bytes), count: Self.byteCount)
    }
}
