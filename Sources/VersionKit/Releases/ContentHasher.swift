internal import Crypto
package import VersionKitModel

/// SHA-256 over bytes that come in pieces.
package struct ContentHasher: Sendable {
    private var hash = SHA256()

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        hash.update(bufferPointer: bytes)
    }

    func digest() -> VersionKitModel.Digest {
        guard let digest = VersionKitModel.Digest(bytes: Array(hash.finalize())) else {
            preconditionFailure("SHA-256 gives 32 bytes")
        }
        return digest
    }

    package static func digest(of bytes: [UInt8]) -> VersionKitModel.Digest {
        bytes.span.bytes.withUnsafeBytes { digest(of: $0) }
    }

    static func digest(of bytes: UnsafeRawBufferPointer) -> VersionKitModel.Digest {
        var hasher = ContentHasher()
        hasher.update(bytes)
        return hasher.digest()
    }
}
