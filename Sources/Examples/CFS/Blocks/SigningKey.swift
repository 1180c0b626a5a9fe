import Crypto

/// The Ed25519 key pair (RFC 8032) of whoever publishes a file system. Keep it off the nodes.
public struct SigningKey: Sendable {
    private let privateKey: Curve25519.Signing.PrivateKey

    /// A new key pair from random numbers: those of the system, if nobody else may know it.
    public init(using random: inout some RandomNumberGenerator) {
        let seed = (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        guard let key = Self(seed: seed) else { preconditionFailure("32 bytes are a key") }
        self = key
    }

    /// The key pair with these 32 secret bytes; nil if they are not 32.
    public init?(seed: [UInt8]) {
        do {
            privateKey = try Curve25519.Signing.PrivateKey(rawRepresentation: seed)
        } catch {
            return nil
        }
    }

    /// The 32 secret bytes.
    public var seed: [UInt8] { Array(privateKey.rawRepresentation) }

    /// What everybody may know.
    public var verificationKey: VerificationKey {
        guard let key = VerificationKey(Array(privateKey.publicKey.rawRepresentation)) else {
            preconditionFailure("an Ed25519 public key has 32 bytes")
        }
        return key
    }

    /// The 64 bytes of a signature.
    func signature(of message: [UInt8]) -> [UInt8] {
        do {
            return Array(try privateKey.signature(for: message))
        } catch {
            preconditionFailure("Ed25519 signs every message: \(error)")
        }
    }
}
