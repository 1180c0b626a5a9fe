package import VersionKitModel

/// The files of a release as its version sees them: layer over layer.
package struct ReleaseTree: Sendable, Equatable {
    /// What is at each path.
    package private(set) var files: [String: ArchivedFile] = [:]

    /// No files.
    package init() {}

    /// Lays a layer on top.
    package mutating func add(_ layer: ReleaseManifest.Layer, files added: [ArchivedFile]) {
        if layer.isImage {
            for file in added { takeAway(file.path) }
        }
        for file in added where !file.path.isEmpty && !(layer.isImage && Self.name(file.path).hasPrefix(Self.whiteout))
        {
            // A file hides a whole directory below it.
            if file.kind != .directory, files[file.path]?.kind == .directory { remove(below: file.path) }
            files[file.path] = file
        }
    }

    private static let whiteout = ".wh."
    private static let opaque = ".wh..wh..opq"

    private mutating func takeAway(_ path: String) {
        let name = Self.name(path)
        guard name.hasPrefix(Self.whiteout) else { return }
        let directory = path.dropLast(name.utf8.count)
        if name == Self.opaque {
            remove(below: String(directory.dropLast()))
        } else {
            let gone = directory + name.dropFirst(Self.whiteout.count)
            files[String(gone)] = nil
            remove(below: String(gone))
        }
    }

    private mutating func remove(below directory: String) {
        files = files.filter { !$0.key.hasPrefix(directory.isEmpty ? "" : directory + "/") }
    }

    private static func name(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }
}
