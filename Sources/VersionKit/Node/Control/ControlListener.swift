import CLinux
import Glibc
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// The listening sockets of ``ControlServer``.
enum ControlListener {
    private static let backlog: Int32 = 128

    /// A Unix socket to which only its owner may connect: whoever can is root of this node's applications.
    static func listen(at path: String) throws(SystemError) -> Int32 {
        unlink(path)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        let mask = umask(0o077)
        defer { umask(mask) }
        guard vk_bind_unix(descriptor, path) == 0, Glibc.listen(descriptor, backlog) == 0 else {
            let error = SystemError("listen on \(path)")
            Glibc.close(descriptor)
            throw error
        }
        return descriptor
    }

    /// A TCP socket.
    static func listen(on endpoint: Endpoint) throws(SystemError) -> Int32 {
        let descriptor = try openSocket(endpoint.address.family, .stream)
        var isOn: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &isOn, socklen_t(MemoryLayout<Int32>.size))
        guard bindSocket(descriptor, to: endpoint), Glibc.listen(descriptor, backlog) == 0 else {
            let error = SystemError("listen on \(endpoint)")
            Glibc.close(descriptor)
            throw error
        }
        return descriptor
    }
}
