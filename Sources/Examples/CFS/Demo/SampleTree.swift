import Crypto
import ExampleFleet
import Foundation

/// A real directory tree: files of the toolchain that is installed here.
struct SampleTree {
    /// Files that are larger are left out, so that there are many.
    private static let fileBytesMax = 1 << 20

    /// Where it is.
    let directory: String
    /// The digest of each file, by its path within.
    private(set) var digests: [String: SHA256.Digest] = [:]
    private(set) var bytes = 0

    /// Copies files until there are so many and so many bytes.
    init(in directory: String, files: Int, bytes: Int) throws {
        self.directory = directory
        guard let swift = Self.compiler else { throw FleetError("there is no toolchain to take files from") }
        let root = URL(filePath: swift).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent()
        let keys: Set<URLResourceKey> = [.isRegularFileKey, .fileSizeKey]
        for part in ["share", "include", "lib"] {
            let place = root.appending(path: part)
            guard let found = FileManager.default.enumerator(at: place, includingPropertiesForKeys: Array(keys)) else {
                continue
            }
            for case let file as URL in found {
                if digests.count >= files, self.bytes >= bytes { return }
                let values = try file.resourceValues(forKeys: keys)
                guard values.isRegularFile == true, let size = values.fileSize, size <= Self.fileBytesMax else {
                    continue
                }
                try copy(file, as: String(file.path.dropFirst(root.path.count + 1)))
            }
        }
        guard digests.count >= files, self.bytes >= bytes else {
            throw FleetError("the toolchain has only \(digests.count) files, \(self.bytes) bytes")
        }
    }

    /// The compiler's path: toolchains are at other places than other programs.
    private static var compiler: String? {
        let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
        return folders.map { "\($0)/swift" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    private mutating func copy(_ file: URL, as path: String) throws {
        let content = try Data(contentsOf: file)
        let copy = URL(filePath: "\(directory)/\(path)")
        try FileManager.default.createDirectory(
            at: copy.deletingLastPathComponent(), withIntermediateDirectories: true)
        try content.write(to: copy)
        digests[path] = SHA256.hash(data: content)
        bytes += content.count
    }

    /// The files that a copy does not have as they were, or not at all.
    func wrongFiles(in copy: String) -> [String] {
        digests.filter { path, digest in
            (try? Data(contentsOf: URL(filePath: "\(copy)/\(path)"))).map { SHA256.hash(data: $0) } != digest
        }.map(\.key).sorted()
    }
}
