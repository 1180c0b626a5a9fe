import CLinux
import Glibc
import VersionKitReleases

/// The parts of a file system that are carried over from one version to the next.
package struct CarriedPaths: Sendable, Hashable {
    /// What is to be done with a file or directory.
    package enum Fate: Sendable, Hashable {
        /// It is carried over, with all that is in it.
        case kept
        /// It is a directory on the way to such a one.
        case entered
        /// It is left behind.
        case removed
    }

    private let paths: [[String]]

    /// These paths, each absolute inside the environment.
    package init(_ paths: [String]) { self.paths = paths.map(Self.names) }

    /// What is to be done with what has this path, absolute inside the environment.
    package func fate(of path: String) -> Fate {
        let names = Self.names(path)
        if paths.contains(where: { names.starts(with: $0) }) { return .kept }
        return paths.contains { $0.starts(with: names) } ? .entered : .removed
    }

    private static func names(_ path: String) -> [String] { path.split(separator: "/").map(String.init) }

    /// Removes everything else from what an environment wrote. Blocks.
    ///
    /// Whoever wrote it may have put a link in the place of any directory: links are not followed.
    ///
    /// - Parameter directory: the upper directory of its overlay.
    package func prune(_ directory: String) throws(IsolationError) {
        try onDisk { () throws(ReleaseError) in try prune(directory, "") }
    }

    private func prune(_ directory: String, _ path: String) throws(ReleaseError) {
        for name in try Disk.names(in: directory + path) {
            let inner = "\(path)/\(name)"
            switch fate(of: inner) {
            case .kept: continue
            case .entered where Self.isDirectory(directory + inner): try prune(directory, inner)
            case .entered, .removed: try Disk.removeTree(directory + inner)
            }
        }
    }

    /// Whether it is one itself, and no link to one.
    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
