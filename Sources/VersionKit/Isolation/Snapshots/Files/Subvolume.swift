import CLinux
import Glibc
import VersionKitReleases

/// Directories that btrfs can copy at one stroke. Calls block, some for as long as a disk takes.
package enum Subvolume {
    /// Makes a directory for the data of an environment, or for a snapshot: a subvolume where the file system has them.
    ///
    /// - Throws: if something stands there already.
    package static func makeDirectory(_ path: String) throws(IsolationError) {
        let parent = try OpenDirectory(Disk.parent(of: path))
        if vk_file_system_type(parent.descriptor) == vk_btrfs_magic,
            vk_make_subvolume(parent.descriptor, name(of: path)) == 0
        {
            return
        }
        // Subvolumes are root's on some systems, and a plain directory will do.
        guard mkdir(path, 0o755) == 0 else { throw .system("make the directory \(path)") }
    }

    /// Removes a directory with all that is in it, subvolume or not. Nothing there is no error.
    package static func removeDirectory(_ path: String) throws(IsolationError) {
        if isSubvolume(path), let parent = try? OpenDirectory(Disk.parent(of: path)),
            vk_remove_subvolume(parent.descriptor, name(of: path)) == 0
        {
            return
        }
        try onDisk { () throws(ReleaseError) in try Disk.removeTree(path) }
    }

    /// Copies a subvolume as it is now.
    ///
    /// - Returns: `false` if it is none, or the target is on another file system: then nothing was made.
    static func snapshot(_ source: String, to target: String) throws(IsolationError) -> Bool {
        guard isSubvolume(source) else { return false }
        let original = try OpenDirectory(source)
        let parent = try OpenDirectory(Disk.parent(of: target))
        return vk_snapshot_subvolume(original.descriptor, parent.descriptor, name(of: target)) == 0
    }

    /// The root of every subvolume has the same number, which nothing else has.
    static func isSubvolume(_ path: String) -> Bool {
        guard let directory = try? OpenDirectory(path) else { return false }
        var info = stat()
        return fstat(directory.descriptor, &info) == 0 && info.st_ino == 256
            && vk_file_system_type(directory.descriptor) == vk_btrfs_magic
    }

    private static func name(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
}

/// An open directory that is closed when the value goes away.
struct OpenDirectory: ~Copyable {
    let descriptor: Int32

    init(_ path: String) throws(IsolationError) {
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open the directory \(path)") }
    }

    deinit { close(descriptor) }

    /// Writes everything out that its file system has not written yet.
    func flushFileSystem(_ path: String) throws(IsolationError) {
        guard vk_sync_file_system(descriptor) == 0 else { throw .system("write \(path) to its disk") }
    }
}

/// Uses the disk with errors of this module.
func onDisk<Result>(_ body: () throws(ReleaseError) -> Result) throws(IsolationError) -> Result {
    do throws(ReleaseError) {
        return try body()
    } catch {
        throw IsolationError("\(error)")
    }
}
