import CLinux
import Glibc
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// The TCP sockets of the relay: non-blocking, close-on-exec.
enum Sockets {
    static func set(_ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32 = 1) -> Bool {
        vk_set_socket_option(socket, level, option, value) == 0
    }

    static func make(_ family: IPAddress.Family) throws(SystemError) -> Int32 {
        let descriptor = try openSocket(family, .stream, blocks: false)
        _ = set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY)
        return descriptor
    }

    /// A listening socket, one of several at the same place; a transparent one also accepts connections to addresses that
    /// are not this host's.
    static func listen(on endpoint: Endpoint, transparent: Bool) throws(SystemError) -> Int32 {
        let family = endpoint.address.family
        let descriptor = try make(family)
        _ = set(descriptor, SOL_SOCKET, SO_REUSEADDR)
        _ = set(descriptor, SOL_SOCKET, SO_REUSEPORT)
        if transparent, vk_set_transparent(descriptor, family.system) != 0 {
            let error = SystemError("IP_TRANSPARENT")
            close(descriptor)
            throw error
        }
        guard bindSocket(descriptor, to: endpoint), Glibc.listen(descriptor, 1024) == 0 else {
            let error = SystemError("listen on \(endpoint)")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// A connection that came, or `nil` if none waits.
    static func accept(_ listener: Int32) -> (socket: Int32, remote: Endpoint)? {
        while true {
            let descriptor = vk_accept4(listener, Int32(SOCK_NONBLOCK.rawValue))
            guard descriptor >= 0 else { return nil }
            _ = set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY)
            if let remote = remoteEndpoint(of: descriptor) { return (descriptor, remote) }
            // It came and went.
            close(descriptor)
        }
    }

    /// Begins to connect; with a `source` that is not this host's, the far end sees the source's address (IP_TRANSPARENT).
    ///
    /// - Returns: a socket whose connection is under way.
    static func connect(to endpoint: Endpoint, from source: Endpoint? = nil) throws(SystemError) -> Int32 {
        let descriptor = try make(endpoint.address.family)
        _ = set(descriptor, SOL_SOCKET, SO_REUSEADDR)
        let ports = EphemeralPorts.relay
        // Before Linux 6.3 there is no such option, nor the fast path whose connections it keeps apart.
        _ = vk_set_ephemeral_ports(descriptor, ports.lowerBound, ports.upperBound)
        if let source {
            guard bind(descriptor, to: source) else {
                let error = SystemError("bind to the peer's address \(source)")
                close(descriptor)
                throw error
            }
        }
        guard connectSocket(descriptor, to: endpoint) || errno == EINPROGRESS else {
            let error = SystemError("connect to \(endpoint)")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Whether a connection that was begun stands already: between an environment and its host it often does at once.
    static func isConnected(_ socket: Int32) -> Bool { remoteEndpoint(of: socket) != nil }

    /// Whether a connection stands and nothing came on it.
    static func isQuiet(_ socket: Int32) -> Bool {
        var byte: UInt8 = 0
        return recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) < 0 && errno == EAGAIN
    }

    /// Binds to the peer's address and port; if its port is in use here (a peer on this same host), to any port.
    private static func bind(_ socket: Int32, to source: Endpoint) -> Bool {
        vk_bind_transparent(socket, vk_endpoint(source)) == 0
            || vk_bind_transparent(socket, vk_endpoint(source.address, 0)) == 0
    }

    /// The error of a connection attempt that ended, 0 for success.
    static func error(of socket: Int32) -> Int32 { vk_socket_error(socket) }

    /// Closes so that the far end sees a reset, as it would have without a router between.
    static func reset(_ socket: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close(socket)
    }
}
