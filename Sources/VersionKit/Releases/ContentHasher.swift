internal import Crypto
internal import VersionKitModel

/// SHA-256 over bytes that come in pieces.
struct ContentHasher: Sendable {
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

    static func digest(of bytes: [UInt8]) -> VersionKitModel.Digest {
        var hasher = ContentHasher()
        bytes.span.bytes.withUnsafeBytes { hasher.update($0) }
        return hasher.digest()
    }
}
