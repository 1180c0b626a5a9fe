package import VersionKitModel

/// What stands in an archive at one path.
package struct ArchivedFile: Sendable, Equatable {
    /// What it is.
    package enum Kind: String, Sendable { case file, directory, symbolicLink, hardLink }

    /// Its path, without a slash at the beginning or the end.
    package var path: String
    /// What it is.
    package var kind: Kind
    /// The bytes of its content.
    package var size: UInt64
    /// The SHA-256 of its content, or of the path that a link leads to.
    package var content: Digest
}

/// Keeps what a ``TarScanner`` sees.
struct TarListing {
    private(set) var files: [ArchivedFile] = []
    private var hasher = ContentHasher()
    private var bytesLeft: UInt64 = 0

    /// A member that was found safe.
    mutating func begin(_ member: TarHeader, path: [UInt8]) {
        let kind: ArchivedFile.Kind =
            switch member.kind {
            case .directory: .directory
            case .symbolicLink: .symbolicLink
            case .hardLink: .hardLink
            default: .file
            }
        files.append(
            ArchivedFile(
                path: String(decoding: path, as: UTF8.self), kind: kind, size: member.size,
                content: ContentHasher.digest(of: member.linkName)))
        hasher = ContentHasher()
        bytesLeft = member.size
    }

    /// The next bytes behind its header, the padding too.
    mutating func add(_ bytes: Slice<UnsafeRawBufferPointer>) {
        guard bytesLeft > 0 else { return }
        let content = UnsafeRawBufferPointer(rebasing: bytes.prefix(Int(min(bytesLeft, UInt64(bytes.count)))))
        hasher.update(content)
        bytesLeft -= UInt64(content.count)
        if bytesLeft == 0 { files[files.count - 1].content = hasher.digest() }
    }
}
