import CLinux
import Glibc

/// What the environment has written, on its own file system: others of the node may have far more to write.
enum WrittenFiles {
    /// Writes everything to the disk; the answer to whoever wanted that.
    static func flush() -> String {
        let root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if root >= 0 { close(root) } }
        return root >= 0 && vk_sync_file_system(root) == 0 ? "done 0" : "failed \(String(cString: strerror(errno)))"
    }
}
