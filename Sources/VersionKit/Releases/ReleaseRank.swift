public import VersionKitModel

extension StoredRelease {
    /// What the manifest is known by.
    public var manifestDigest: Digest { ContentHasher.digest(of: manifestBytes) }
}

extension Digest {
    /// A number for a node's name and this content, as good as random and the same everywhere: by it some nodes are the
    /// first, each time others.
    public func rank(of node: String) -> UInt64 {
        let digest = ContentHasher.digest(of: Array("\(description) \(node)".utf8))
        guard let rank = UInt64(digest.hex.prefix(16), radix: 16) else { preconditionFailure("hexadecimal digits") }
        return rank
    }
}
