internal import CLinux
internal import Glibc

/// What a layer of an image takes away from those below: files with names of their own in an archive, marks of overlayfs in
/// a directory.
package enum Whiteouts {
    private static let prefix = ".wh."
    /// All that lower layers have in this directory.
    private static let opaque = ".wh..wh..opq"
    /// Notes of a file system of old, which mean nothing.
    private static let notes = ".wh..wh."

    /// Puts marks in the place of such files. No link is followed.
    static func mark(in directory: String) throws(ReleaseError) {
        for name in try Disk.names(in: directory) {
            let path = "\(directory)/\(name)"
            if name == opaque {
                try Disk.removeTree(path)
                try makeOpaque(directory)
            } else if name.hasPrefix(notes) {
                try Disk.removeTree(path)
            } else if name.hasPrefix(prefix) {
                try Disk.removeTree(path)
                try hide(String(name.dropFirst(prefix.count)), in: directory)
            } else if kind(of: path) == S_IFDIR {
                try mark(in: path)
            }
        }
    }

    /// Takes away what a layer with marks takes away from the files below it, for whoever copies one over the other.
    ///
    /// - Parameter isCopied: whether the layer was copied there already: then it is the marks that go.
    package static func apply(_ layer: String, to target: String, isCopied: Bool) throws(ReleaseError) {
        for name in try Disk.names(in: layer) {
            let (mark, path) = ("\(layer)/\(name)", "\(target)/\(name)")
            switch kind(of: mark) {
            case S_IFCHR: try remove(path)
            case S_IFDIR where !isCopied && vk_is_opaque(mark): try remove(path)
            case S_IFDIR where kind(of: path) == S_IFDIR: try apply(mark, to: path, isCopied: isCopied)
            default: break
            }
        }
    }

    private static func remove(_ path: String) throws(ReleaseError) {
        if kind(of: path) != nil { try Disk.removeTree(path) }
    }

    private static func hide(_ name: String, in directory: String) throws(ReleaseError) {
        let path = "\(directory)/\(name)"
        guard !["", ".", ".."].contains(name) else {
            throw ReleaseError(
                .unsafeLayer, "a layer takes away '\(name)' of a directory, which is no file", side: .publisher,
                remedy: "build the image again")
        }
        // Taken away and made again: nothing below shines through.
        switch kind(of: path) {
        case nil: guard mknod(path, S_IFCHR, 0) == 0 else { throw ReleaseError.system("hide", path) }
        case S_IFDIR: try makeOpaque(path)
        default: return
        }
    }

    private static func makeOpaque(_ directory: String) throws(ReleaseError) {
        guard vk_make_opaque(directory) == 0 else { throw ReleaseError.system("mark", directory) }
    }

    private static func kind(of path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }
}
