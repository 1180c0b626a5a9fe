package import VersionKitModel

/// What is other in one release than in another.
package struct ReleaseDifference: Sendable, Codable, Equatable {
    /// A path, with the bytes of its file before and after.
    package struct Change: Sendable, Codable, Equatable {
        package var path: String
        /// The bytes before; `nil`: there was nothing.
        package var before: UInt64?
        /// The bytes after; `nil`: there is nothing.
        package var after: UInt64?
    }

    /// What may be used at most, before and after.
    package struct LimitsChange: Sendable, Codable, Equatable {
        /// The limits before; `nil`: none.
        package var before: ResourceLimits?
        /// The limits after; `nil`: none.
        package var after: ResourceLimits?
    }

    /// Paths that only the later release has.
    package var added: [Change] = []
    /// Paths that only the earlier one has.
    package var removed: [Change] = []
    /// Paths with another content, or something of another kind; the largest first.
    package var changed: [Change] = []
    /// Other limits; `nil`: they are the same.
    package var limits: LimitsChange?
    /// What a node that has the earlier release fetches of the later one's layers, in bytes.
    package var bytesToFetch: UInt64 = 0
    /// The bytes of all its layers.
    package var bytesOfAll: UInt64 = 0

    /// Compares two releases; all their layers are read.
    package init(from earlier: ReleaseFolder, to later: ReleaseFolder) throws(ReleaseError) {
        let (before, after) = (try Self.tree(earlier), try Self.tree(later))
        for (path, file) in before.files where after.files[path] == nil {
            removed.append(Change(path: path, before: file.size))
        }
        for (path, file) in after.files {
            let old = before.files[path]
            guard let old else {
                added.append(Change(path: path, after: file.size))
                continue
            }
            // A hard link is its target's content by another name.
            if old.kind != file.kind || old.size != file.size || old.content != file.content {
                changed.append(Change(path: path, before: old.size, after: file.size))
            }
        }
        added.sort { $0.path < $1.path }
        removed.sort { $0.path < $1.path }
        changed.sort { ($1.after ?? 0, $0.path) < ($0.after ?? 0, $1.path) }
        let (old, new) = (earlier.manifest.limits, later.manifest.limits)
        if old != new { limits = LimitsChange(before: old, after: new) }
        try count(earlier, later)
    }

    private mutating func count(_ earlier: ReleaseFolder, _ later: ReleaseFolder) throws(ReleaseError) {
        var held: Set<Digest> = []
        for layer in earlier.manifest.layers {
            held.insert(layer.digest)
            for chunk in try earlier.chunks(of: layer)?.chunks ?? [] { held.insert(chunk.digest) }
        }
        for layer in later.manifest.layers {
            bytesOfAll += layer.size
            if held.contains(layer.digest) { continue }
            if let list = try later.chunks(of: layer) {
                bytesToFetch += UInt64(list.encoded.count)
                for chunk in list.chunks where !held.contains(chunk.digest) { bytesToFetch += UInt64(chunk.length) }
            } else {
                bytesToFetch += layer.size
            }
        }
    }

    private static func tree(_ release: ReleaseFolder) throws(ReleaseError) -> ReleaseTree {
        var tree = ReleaseTree()
        for layer in release.manifest.layers { tree.add(layer, files: try release.files(of: layer)) }
        return tree
    }
}
