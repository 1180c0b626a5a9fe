import CLinux
import Glibc

/// A machine's disk as it was at one moment, on the node's disk: what was written, and the layers below it, which stay there
/// for it though every environment that had them is removed.
struct MachineSnapshot: Sendable {
    let directory: String
    private var disk: String { directory + "/disk" }
    private var layers: String { directory + "/layers" }

    /// Copies what was written; meanwhile the machine has to stand still.
    func take(_ place: Place) async throws(IsolationError) {
        // Nobody can put a link in its place while the machine stands still, and one that is there is copied as a link.
        try await execute("cp", ["--no-dereference", "--reflink=auto", "--sparse=auto", place.disk, disk])
    }

    /// Keeps the layers; they do not change.
    func keepLayers(_ place: Place) async throws(IsolationError) { try await Self.share(place.layers, at: layers) }

    /// Puts everything into the directory of a machine.
    func restore(to place: Place) async throws(IsolationError) {
        try await Self.share(layers, at: place.layers)
        try await execute("cp", ["--no-dereference", "--reflink=auto", "--sparse=auto", disk, place.disk])
        guard chmod(place.disk, 0o600) == 0 else { throw .system("protect \(place.disk)") }
    }

    /// The space that it takes, in bytes, without the layers.
    var bytes: UInt64 {
        var status = stat()
        return lstat(disk, &status) == 0 ? UInt64(status.st_blocks) * 512 : 0
    }

    /// The same file at another path, or a copy of the same age: the disk says of which age its layers have to be.
    private static func share(_ source: String, at target: String) async throws(IsolationError) {
        if link(source, target) == 0 { return }
        guard errno == EXDEV else { throw .system("link \(source) to \(target)") }
        try await execute("cp", ["-p", "--reflink=auto", "--sparse=auto", source, target])
    }
}
