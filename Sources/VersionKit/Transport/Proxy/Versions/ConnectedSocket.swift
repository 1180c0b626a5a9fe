import CLinux
import Glibc
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// A TCP connection that was opened by a thread which may wait for it.
enum ConnectedSocket {
    /// Connects; the descriptor is the caller's, and does not block.
    static func open(to endpoint: Endpoint, within timeout: Duration) throws(SystemError) -> Int32 {
        let descriptor = try openSocket(endpoint.address.family, .stream)
        // It bounds connecting, too (socket(7)).
        var limit = timeval(
            tv_sec: Int(timeout.components.seconds),
            tv_usec: Int(timeout.components.attoseconds / 1_000_000_000_000))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        guard connectSocket(descriptor, to: endpoint),
            vk_set_socket_option(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1) == 0,
            fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0
        else {
            let error = SystemError("connect to \(endpoint)")
            close(descriptor)
            throw error
        }
        return descriptor
    }
}
