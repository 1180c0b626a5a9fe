import Glibc
import NIOCore

/// Where a server with streams is.
public enum RPCAddress: Hashable, Sendable, CustomStringConvertible {
    /// TCP at a port of a host; port 0: any that is free, for servers.
    case tcp(host: String, port: Int)
    /// A Unix socket.
    case unix(path: String)

    /// As people write it.
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }
}

/// The file of a Unix socket: which one it was, so that nobody else's is removed.
struct SocketFile: Hashable, Sendable {
    private let path: String
    private let device: dev_t
    private let number: ino_t

    /// The socket that is there now; `nil`: none is.
    init?(path: String) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
        self.path = path
        (device, number) = (status.st_dev, status.st_ino)
    }

    /// Removes it, if it is still the same.
    func remove() {
        if SocketFile(path: path) == self { unlink(path) }
    }
}
