import CLinux
import Glibc

/// What a disk image is made from.
struct DiskRecipe: Sendable {
    /// When images are made in another way than before this is counted up, or old ones would be taken for new ones.
    private static let format = 1

    /// Directories that are stacked, the topmost first.
    var directories: [String] = []
    /// Directories below them, each after the one that it is in.
    var emptyDirectories: [String] = []
    /// Symbolic links below them, with what they lead to.
    var links: [(name: String, target: String)] = []
    /// Files below them, with their sources.
    var files: [(name: String, source: String)] = []
    /// The free space, in bytes.
    var spareBytes: UInt64 = 0

    /// A name that no other image has. Layers never change, so it is enough to know which they are.
    func name() async throws(IsolationError) -> String {
        var lines = ["format \(Self.format)", "spare \(spareBytes)"]
        for path in directories + files.map(\.source) {
            var status = stat()
            guard stat(path, &status) == 0 else { throw .system("look at \(path)") }
            let (device, file, time) = (status.st_dev, status.st_ino, status.st_mtim)
            lines.append("\(device) \(file) \(status.st_size) \(time.tv_sec) \(time.tv_nsec) \(path)")
        }
        lines += links.map { "link \($0.name) \($0.target)" } + files.map { "file \($0.name)" } + emptyDirectories
        let output = try await execute("sha256sum", [], input: lines.joined(separator: "\n"))
        guard let name = output.split(separator: " ").first, name.count == 64 else {
            throw IsolationError("sha256sum says \(output)")
        }
        return String(name)
    }
}
