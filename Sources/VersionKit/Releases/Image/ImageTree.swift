internal import CLinux
internal import Glibc

/// The files of an image as somebody finds them who runs in it: layer upon layer, with links that never lead out of it.
struct ImageTree {
    private static let linksMax = 40
    private static let fileBytesMax = 1 << 20

    private enum Entry {
        case directory
        case link([String])
        case file(String)
    }

    /// The directories of the layers, the topmost first.
    let layers: [String]

    /// Where a file of the image is on this machine; `nil` if the image has none at this path.
    func file(_ path: String) -> String? {
        var names = path.split(separator: "/").map(String.init)
        var place: [String] = []
        var links = 0
        while !names.isEmpty {
            let name = names.removeFirst()
            if name.isEmpty || name == "." { continue }
            if name == ".." {
                _ = place.popLast()
                continue
            }
            switch entry(place, name) {
            case nil: return nil
            case .file(let path): return names.isEmpty ? path : nil
            case .directory: place.append(name)
            case .link(let target):
                links += 1
                guard links <= Self.linksMax else { return nil }
                if target.first == "" { place = [] }
                names = target + names
            }
        }
        return nil
    }

    /// The text of a small file; empty if the image has none.
    func text(_ path: String) throws(ReleaseError) -> String {
        guard let file = file(path) else { return "" }
        return String(decoding: try Disk.readFile(file, bytesMax: Self.fileBytesMax), as: UTF8.self)
    }

    private func entry(_ place: [String], _ name: String) -> Entry? {
        for layer in layersBelow(place) {
            let path = ([layer] + place + [name]).joined(separator: "/")
            switch Self.kind(path) {
            case nil: continue
            case S_IFDIR: return .directory
            case S_IFREG: return .file(path)
            case S_IFLNK:
                var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
                let count = readlink(path, &target, target.count)
                let text = String(decoding: target[..<max(0, count)], as: UTF8.self)
                // An empty first name: it begins at the root.
                let names = text.split(separator: "/").map(String.init)
                return .link(text.hasPrefix("/") ? [""] + names : names)
            // Taken away.
            default: return nil
            }
        }
        return nil
    }

    /// The layers that have a directory, down to one that hides it from those below.
    private func layersBelow(_ place: [String]) -> [String] {
        var found = layers
        var path = ""
        for name in place {
            path += "/\(name)"
            var shown: [String] = []
            for layer in found {
                let kind = Self.kind(layer + path)
                if kind == S_IFDIR { shown.append(layer) }
                if kind != nil, kind != S_IFDIR || vk_is_opaque(layer + path) { break }
            }
            found = shown
        }
        return found
    }

    private static func kind(_ path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }
}
