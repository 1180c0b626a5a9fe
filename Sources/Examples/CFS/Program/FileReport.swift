import CFSFiles
import CFSModel

/// A file for machines and for people.
struct FileReport: Encodable {
    var path: String
    var kind: String
    var size: UInt64
    var links: UInt32
    var modified: String
    var changed: String
    var fileID: UInt64
    var handle: String
    var target: String?

    init(_ inode: Inode, _ handle: ChordID, at path: String) {
        self.path = path
        self.handle = "\(handle)"
        size = inode.size
        links = inode.linkCount
        modified = "\(inode.modified)"
        changed = "\(inode.changed)"
        fileID = inode.fileID
        switch inode.contents {
        case .regular: kind = "file"
        case .executable: kind = "executable"
        case .directory: kind = "directory"
        case .opaqueDirectory: kind = "opaque directory"
        case .link(let bytes):
            kind = "link"
            target = String(decoding: bytes, as: UTF8.self)
        }
    }

    /// As `ls -l` writes it.
    var mode: String {
        switch kind {
        case "file": "-r--r--r--"
        case "executable": "-r-xr-xr-x"
        case "directory": "dr-xr-xr-x"
        case "link": "lrwxrwxrwx"
        default: "d--x--x--x"
        }
    }

    /// A line of `ls -l`.
    func line(_ name: String) -> String {
        let size = "\(size)"
        let padding = String(repeating: " ", count: max(0, 12 - size.count))
        return "\(mode) \(links)\(padding)\(size) \(modified) \(name)" + (target.map { " -> \($0)" } ?? "")
    }
}
