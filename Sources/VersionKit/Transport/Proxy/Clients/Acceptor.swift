import CLinux
import VersionKitProcesses
import Glibc
import NIOCore
import Synchronization

/// Accepts connections on a thread of its own, so that their descriptors are ours before they are NIO's.
///
/// The listening socket is shared with other processes (the proxy before and the proxy after this one): closing it here
/// closes no port.
final class Acceptor: Sendable {
    private let listener: Int32
    private let wake: Int32
    private let onAccept: @Sendable (Int32) -> Void
    private let end = Mutex<[CheckedContinuation<Void, Never>]?>([])

    init(listener: Int32, onAccept: @escaping @Sendable (Int32) -> Void) {
        self.listener = listener
        self.onAccept = onAccept
        wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        // Another process may take the connection between poll and accept.
        _ = fcntl(listener, F_SETFL, O_NONBLOCK)
    }

    deinit {
        close(listener)
        close(wake)
    }

    func start() {
        SystemThread(name: "acceptor") { [self] in
            var watched = [
                pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            ]
            while true {
                _ = poll(&watched, 2, -1)
                if watched[1].revents != 0 { break }
                while true {
                    let socket = vk_accept4(listener, Int32(SOCK_NONBLOCK.rawValue))
                    guard socket >= 0 else { break }
                    _ = vk_set_socket_option(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
                    onAccept(socket)
                }
            }
            let waiting = end.withLock { waiting in
                defer { waiting = nil }
                return waiting ?? []
            }
            for continuation in waiting { continuation.resume() }
        }.start()
    }

    /// Accepts nobody any more.
    func stop() { eventfd_write(wake, 1) }

    /// As ``stop()``; returns when the last connection was given away.
    func stopped() async {
        stop()
        await withCheckedContinuation { continuation in
            let isOver = end.withLock { waiting in
                waiting?.append(continuation)
                return waiting == nil
            }
            if isOver { continuation.resume() }
        }
    }
}
