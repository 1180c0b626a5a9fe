import Glibc
import VersionKitModel

/// A Swift package around a new adapter, made from ``NewTemplates``.
struct NewPackage {
    private let name: String
    private let dependency: String

    /// - Parameters:
    ///   - name: the application's.
    ///   - versionkit: the absolute path of a checkout of VersionKit; `nil`: its repository.
    init(name: String, versionkit: String?) throws(NewPackageError) {
        guard ApplicationID(rawValue: name) != nil, !name.hasSuffix("-") else { throw .badName(name) }
        self.name = name
        let place = versionkit.map { "name: \"versionkit\", path: \"\(escaped($0))\"" }
        dependency = place ?? "url: \"https://github.com/versionkit/versionkit\", branch: \"main\""
    }

    /// What the adapter's types and modules are called: `FileStore` for `file-store`.
    private var type: String {
        name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// The files, by their path in the package.
    private var files: [(path: String, text: String)] {
        NewTemplates.files.map { (filled($0.path), filled($0.text)) }
    }

    private func filled(_ template: String) -> String {
        template.replacing("__TYPE__", with: type).replacing("__NAME__", with: name)
            .replacing("__DEPENDENCY__", with: dependency)
    }

    /// Makes the directory and all files in it.
    func write(to directory: String) throws(NewPackageError) {
        guard access(directory, F_OK) != 0 else { throw .exists(directory) }
        try makeDirectory(directory)
        for (path, text) in files {
            var parent = directory
            for part in path.split(separator: "/").dropLast() {
                parent += "/" + part
                try makeDirectory(parent)
            }
            try write(text, to: directory + "/" + path)
        }
    }

    private func makeDirectory(_ path: String) throws(NewPackageError) {
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw .system("make \(path)", errno) }
    }

    private func write(_ text: String, to path: String) throws(NewPackageError) {
        // x: a file that came into being meanwhile is somebody else's.
        guard let file = fopen(path, "wxe") else { throw .system("write \(path)", errno) }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten else { throw .system("write \(path)", errno) }
    }
}

/// A path as it stands in a literal of Swift.
private func escaped(_ path: String) -> String {
    path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
}

/// Why no package was made.
enum NewPackageError: Error, CustomStringConvertible {
    case badName(String)
    case exists(String)
    case system(String, Int32)

    var description: String {
        switch self {
        case .badName(let name):
            "'\(name)' is no application's name; use a-z, 0-9 and -, beginning with a letter"
        case .exists(let path): "\(path) exists already; choose another directory with --output"
        case .system(let action, let code): "cannot \(action): \(String(cString: strerror(code)))"
        }
    }
}
