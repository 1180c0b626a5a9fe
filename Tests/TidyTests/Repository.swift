import Foundation

/// The files of this repository, as a reviewer sees them: without build folders and without git's own.
struct Repository {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every file, hidden ones included, sorted by path.
    static let files: [RepositoryFile] = {
        let keys: [URLResourceKey] = [.isDirectoryKey]
        guard let found = FileManager.default.enumerator(at: root, includingPropertiesForKeys: keys) else { return [] }
        var files: [RepositoryFile] = []
        for case let url as URL in found {
            let isFolder = (try? url.resourceValues(forKeys: Set(keys)).isDirectory) ?? false
            let path = relativePath(of: url)
            if isFolder {
                if isGenerated(path) { found.skipDescendants() }
            } else {
                files.append(RepositoryFile(path: path))
            }
        }
        return files.sorted { $0.path < $1.path }
    }()

    /// The files below a folder whose names end like this.
    static func files(under folder: String, suffix: String) -> [RepositoryFile] {
        files.filter { $0.path.hasPrefix(folder + "/") && $0.path.hasSuffix(suffix) }
    }

    private static func relativePath(of url: URL) -> String {
        String(url.standardizedFileURL.path.dropFirst(root.standardizedFileURL.path.count + 1))
    }

    private static func isGenerated(_ folder: String) -> Bool {
        let name = folder.split(separator: "/").last.map(String.init) ?? folder
        return name == ".git" || name == ".swiftpm" || name.hasPrefix(".build") || folder == "docs/api"
    }
}

/// One file of the repository.
struct RepositoryFile {
    /// Its path from the repository's root.
    let path: String

    var url: URL { Repository.root.appendingPathComponent(path) }

    /// Its lines, numbered from 1; none if it is not text.
    var lines: [(number: Int, text: Substring)] {
        guard let data = try? Data(contentsOf: url), !data.contains(0),
            let text = String(data: data, encoding: .utf8)
        else { return [] }
        return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map { ($0 + 1, $1) }
    }
}

/// The code of a line of Swift: what stands before a comment. Enough for tidiness; it does not parse literals.
func code(of line: Substring) -> Substring {
    guard let comment = line.range(of: "//") else { return line }
    let before = line[..<comment.lowerBound]
    return before.hasSuffix(":") ? line : before
}
