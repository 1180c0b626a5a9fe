internal import Crypto
internal import FoundationEssentials
internal import VersionKitModel

/// A publisher's Ed25519 key pair: what signs releases. Keep it off the nodes.
public struct PublisherKey: Sendable {
    private let privateKey: Curve25519.Signing.PrivateKey

    /// A new key pair from the system's random numbers.
    public static func generate() -> PublisherKey {
        PublisherKey(privateKey: Curve25519.Signing.PrivateKey())
    }

    private init(privateKey: Curve25519.Signing.PrivateKey) {
        self.privateKey = privateKey
    }

    /// The key pair with these 32 secret bytes.
    init?(seed: [UInt8]) {
        do {
            privateKey = try Curve25519.Signing.PrivateKey(rawRepresentation: seed)
        } catch {
            return nil
        }
    }

    var seed: [UInt8] { Array(privateKey.rawRepresentation) }

    /// What nodes pin.
    public var publicKey: PublisherPublicKey {
        guard let key = PublisherPublicKey(bytes: Array(privateKey.publicKey.rawRepresentation)) else {
            preconditionFailure("an Ed25519 public key has 32 bytes")
        }
        return key
    }

    /// The 64 bytes of a signature.
    func signature(of message: [UInt8]) throws(ReleaseError) -> [UInt8] {
        do {
            return Array(try privateKey.signature(for: message))
        } catch {
            throw ReleaseError(.badKey, "this key cannot sign (\(error))", side: .publisher, remedy: "make a new key")
        }
    }
}

/// A publisher's public key, written `ed25519:<base64>`: what a node's operator pins for an application.
public struct PublisherPublicKey: Sendable, Hashable, LosslessStringConvertible {
    private static let prefix = "ed25519:"

    /// The 32 bytes.
    public let bytes: [UInt8]

    /// The key with these bytes, or `nil` if they are not 32.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// The key written as `ed25519:<base64>`, or `nil`.
    public init?(_ description: String) {
        guard description.hasPrefix(Self.prefix) else { return nil }
        let text = String(description.dropFirst(Self.prefix.count))
        guard let bytes = Base64.decode(text) else { return nil }
        self.init(bytes: bytes)
    }

    /// `ed25519:` and the bytes in base64.
    public var description: String { Self.prefix + Base64.encode(bytes) }

    /// The short name of the key: the first 16 hexadecimal digits of the SHA-256 of its bytes.
    ///
    /// It says which pinned key to try; it proves nothing by itself.
    public var keyID: String { String(ContentHasher.digest(of: bytes).hex.prefix(16)) }

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

/// Base64 with one spelling for the same bytes.
enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    static func decode(_ text: String) -> [UInt8]? {
        guard let data = Data(base64Encoded: text), data.base64EncodedString() == text else { return nil }
        return Array(data)
    }
}
