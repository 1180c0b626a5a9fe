import CLinux
import Glibc
import VersionKitModel
import VersionKitProcesses

/// The IPv4 TCP sockets of the relay: non-blocking, close-on-exec.
enum Sockets {
    static func endpoint(_ found: vk_endpoint) -> Endpoint {
        Endpoint(address: IPv4Address(number: UInt32(bigEndian: found.address)), port: UInt16(bigEndian: found.port))
    }

    static func set(_ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32 = 1) -> Bool {
        vk_set_socket_option(socket, level, option, value) == 0
    }

    static func make() throws(SystemError) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        _ = set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY)
        return descriptor
    }

    /// A listening socket; a transparent one also accepts connections to addresses that are not this host's.
    static func listen(on endpoint: Endpoint, transparent: Bool) throws(SystemError) -> Int32 {
        let descriptor = try make()
        _ = set(descriptor, SOL_SOCKET, SO_REUSEADDR)
        if transparent, !set(descriptor, Int32(IPPROTO_IP), IP_TRANSPARENT) {
            let error = SystemError("IP_TRANSPARENT")
            close(descriptor)
            throw error
        }
        let bound = vk_bind_ipv4(descriptor, endpoint.address.number.bigEndian, endpoint.port.bigEndian)
        guard bound == 0, Glibc.listen(descriptor, 1024) == 0 else {
            let error = SystemError("listen on \(endpoint)")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// The address of this end of a connection: for an intercepted one, what the application wanted to reach.
    static func localEndpoint(of socket: Int32) -> Endpoint? {
        var address = vk_endpoint()
        return vk_local_address(socket, &address) == 0 ? endpoint(address) : nil
    }

    /// A connection that came, or `nil` if none waits.
    static func accept(_ listener: Int32) -> (socket: Int32, remote: Endpoint)? {
        while true {
            let descriptor = vk_accept4(listener, Int32(SOCK_NONBLOCK.rawValue))
            guard descriptor >= 0 else { return nil }
            _ = set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY)
            var address = vk_endpoint()
            if vk_peer_address(descriptor, &address) == 0 { return (descriptor, endpoint(address)) }
            // It came and went.
            close(descriptor)
        }
    }

    /// Begins to connect; with a `source` that is not this host's, the far end sees the source's address (IP_TRANSPARENT).
    ///
    /// - Returns: a socket whose connection is under way.
    static func connect(to endpoint: Endpoint, from source: Endpoint? = nil) throws(SystemError) -> Int32 {
        let descriptor = try make()
        _ = set(descriptor, SOL_SOCKET, SO_REUSEADDR)
        if let source {
            guard bind(descriptor, to: source) else {
                let error = SystemError("bind to the peer's address \(source)")
                close(descriptor)
                throw error
            }
        }
        let result = vk_connect_ipv4(descriptor, endpoint.address.number.bigEndian, endpoint.port.bigEndian)
        guard result == 0 || errno == EINPROGRESS else {
            let error = SystemError("connect to \(endpoint)")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Binds to the peer's address and port; if its port is in use here (a peer on this same host), to any port.
    private static func bind(_ socket: Int32, to source: Endpoint) -> Bool {
        let address = source.address.number.bigEndian
        return vk_bind_transparent_ipv4(socket, address, source.port.bigEndian) == 0
            || vk_bind_transparent_ipv4(socket, address, 0) == 0
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
