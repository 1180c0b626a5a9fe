package import VersionKitModel

/// What a release is made of, for `versionctl release inspect`.
package struct ReleaseSummary: Sendable, Codable, Equatable {
    /// One layer.
    package struct Layer: Sendable, Codable, Equatable {
        package var digest: Digest
        package var mediaType: String
        package var size: UInt64
        package var unpackedSize: UInt64
        /// How many chunks it has; `nil`: it has none.
        package var chunks: Int?
        /// The Debian package that it is made of.
        package var package: ReleaseManifest.Layer.Package?
        /// Its files, if they are wanted.
        package var files: [File]?
    }

    /// One path in a layer.
    package struct File: Sendable, Codable, Equatable {
        package var path: String
        package var kind: String
        package var size: UInt64
    }

    package var application: ApplicationID
    package var version: Version
    package var name: String
    package var format: Int
    package var replaces: Version?
    /// Whether the replaced version can be gone back to with what was written since.
    package var replay: Bool?
    /// The SHA-256 of the manifest.
    package var manifest: Digest
    /// The ids of the keys that signed it, according to its signature file.
    package var signers: [String]
    /// The lowest first.
    package var layers: [Layer]

    /// Reads a release.
    ///
    /// - Parameter withFiles: whether the layers are read too, and so checked.
    package init(_ release: ReleaseFolder, withFiles: Bool) throws(ReleaseError) {
        let manifest = release.manifest
        application = manifest.application
        version = manifest.version
        name = manifest.name
        format = manifest.format
        replaces = manifest.replaces
        replay = manifest.retirement.replay
        self.manifest = ContentHasher.digest(of: release.manifestBytes)
        signers = try release.signers()
        layers = []
        for layer in manifest.layers {
            let files = try withFiles ? release.files(of: layer) : nil
            layers.append(
                Layer(
                    digest: layer.digest, mediaType: layer.mediaType, size: layer.size, unpackedSize: layer.archiveSize,
                    chunks: try release.chunks(of: layer)?.chunks.count, package: layer.package,
                    files: files?.map { File(path: $0.path, kind: $0.kind.rawValue, size: $0.size) }))
        }
    }

    /// For people.
    package var table: String {
        let replay = replay == true ? ", to which what is written since can be replayed" : ""
        var lines = [
            "\(application) \(version) (\(name)), format \(format)"
                + (replaces.map { ", replaces \($0)\(replay)" } ?? ""),
            "manifest   \(manifest)",
            "signed by  \(signers.isEmpty ? "nobody" : signers.joined(separator: ", "))",
            "",
            "     BYTES   UNPACKED  CHUNKS  LAYER",
        ]
        for layer in layers {
            let what = layer.package.map { "  \($0.name) \($0.version)" } ?? ""
            let kind = layer.mediaType.contains("oci") ? "  of an image" : ""
            lines.append(
                Self.column(layer.size, 10) + " " + Self.column(layer.unpackedSize, 10) + " "
                    + Self.column(layer.chunks.map { "\($0)" } ?? "-", 7)
                    + "  \(layer.digest.hex.prefix(16))\(what)\(kind)")
            for file in layer.files ?? [] {
                lines.append(Self.column(file.size, 21) + "          \(file.path.isEmpty ? "." : file.path)")
            }
        }
        lines.append(
            Self.column(layers.reduce(0) { $0 + $1.size }, 10) + " "
                + Self.column(layers.reduce(0) { $0 + $1.unpackedSize }, 10))
        return lines.joined(separator: "\n")
    }

    private static func column(_ value: some CustomStringConvertible, _ width: Int) -> String {
        let text = value.description
        return String(repeating: " ", count: max(0, width - text.count)) + text
    }
}

extension ReleaseDifference {
    /// For people.
    package var text: String {
        var lines: [String] = []
        for change in added { lines.append("+ \(change.path)  \(change.after ?? 0)") }
        for change in removed { lines.append("- \(change.path)  \(change.before ?? 0)") }
        for change in changed { lines.append("* \(change.path)  \(change.before ?? 0) -> \(change.after ?? 0)") }
        lines.append("\(added.count) added, \(removed.count) removed, \(changed.count) changed")
        lines.append("a node with the earlier release fetches \(bytesToFetch) of \(bytesOfAll) bytes")
        return lines.joined(separator: "\n")
    }
}
