import FoundationEssentials

/// Files that nothing makes smaller: what is the bulk of a release.
struct Payload {
    private static let fileBytes = 1_000_000
    private static let insertedBytes = 64

    /// By their place in the release.
    private var files: [Data]

    /// So many bytes, by chance.
    init(bytes: Int) {
        files = stride(from: 0, to: bytes, by: Self.fileBytes).map { Self.noise(min(Self.fileBytes, bytes - $0)) }
    }

    var bytes: Int { files.reduce(0) { $0 + $1.count } }

    /// The same, but for so many percent of the files, at least one.
    func replacing(percent: Int) -> Payload {
        var other = self
        for index in 0..<max(1, files.count * percent / 100) { other.files[index] = Self.noise(files[index].count) }
        return other
    }

    /// The same, but for something that was inserted in the middle of so many percent of the files, at least one.
    func inserting(percent: Int) -> Payload {
        var other = self
        for index in 0..<max(1, files.count * percent / 100) {
            other.files[index].insert(
                contentsOf: Self.noise(Self.insertedBytes), at: other.files[index].startIndex + files[index].count / 2)
        }
        return other
    }

    func write(to directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for (index, file) in files.enumerated() { try file.write(to: URL(filePath: "\(directory)/\(index)")) }
    }

    static func noise(_ bytes: Int) -> Data {
        (0..<(bytes + 7) / 8).map { _ in UInt64.random(in: .min ... .max) }
            .withUnsafeBytes { Data($0.prefix(bytes)) }
    }
}
