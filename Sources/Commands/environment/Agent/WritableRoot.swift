import Glibc

/// The root directory of a container in which the version finds it read-only: a descriptor of the same directory as it was
/// mounted before. The agent alone has it, and only until the version is started.
enum WritableRoot {
    static let descriptor: Int32 = 5
    nonisolated(unsafe) private static var isOpen = false

    /// Takes what the maker of the container has passed on.
    static func take() {
        isOpen = fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
    }

    /// Where the agent may write the file that is found at a path. What is mounted over the root is as it is.
    static func path(_ path: String) -> String {
        isOpen && isReadOnly(path) ? "/proc/self/fd/\(descriptor)" + path : path
    }

    static func close() {
        if isOpen { Glibc.close(descriptor) }
        isOpen = false
    }

    /// Goes by the nearest directory that is there.
    private static func isReadOnly(_ path: String) -> Bool {
        var parent = path[...]
        var status = statvfs()
        while let slash = parent.lastIndex(of: "/") {
            parent = parent[..<slash]
            if statvfs(parent.isEmpty ? "/" : String(parent), &status) == 0 {
                return status.f_flag & UInt(ST_RDONLY) != 0
            }
        }
        return false
    }
}
