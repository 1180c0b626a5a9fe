import CLinux
import Glibc
package import VersionKitModel
package import VersionKitProcesses
import VersionKitSockets

/// The socket on which an application's clients connect: opened once, shared by all its proxies one after the other.
package enum ClientListener {
    /// Where clients connect.
    package enum Place: Sendable, Hashable, Codable {
        /// TCP.
        case stream(Endpoint)
        /// A Unix socket with this path. A socket that is there already, of a listener that is gone, is replaced.
        case local(path: String)
        /// UDP.
        case datagrams(Endpoint)

        /// `127.0.0.1:7000`, `udp:127.0.0.1:7000` or `unix:/run/application.sock`.
        package init?(_ text: String) {
            if text.hasPrefix("unix:") {
                self = .local(path: String(text.dropFirst(5)))
            } else if text.hasPrefix("udp:") {
                guard let endpoint = Endpoint(String(text.dropFirst(4))) else { return nil }
                self = .datagrams(endpoint)
            } else {
                guard let endpoint = Endpoint(text) else { return nil }
                self = .stream(endpoint)
            }
        }
    }

    private static let backlog: Int32 = 1024

    /// Opens the socket; it is the caller's.
    package static func open(_ place: Place) throws(SystemError) -> Int32 {
        switch place {
        case .stream(let endpoint):
            let descriptor = try bound(.stream, endpoint)
            return try listening(descriptor, "\(endpoint)")
        case .datagrams(let endpoint): return try bound(.datagrams, endpoint)
        case .local(let path):
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw SystemError("socket") }
            do {
                try StaleSocket.remove(path)
            } catch {
                close(descriptor)
                throw error
            }
            guard vk_bind_unix(descriptor, path) == 0 else { throw failure("bind", path, descriptor) }
            return try listening(descriptor, path)
        }
    }

    private static func bound(_ kind: SocketKind, _ endpoint: Endpoint) throws(SystemError) -> Int32 {
        let descriptor = try openSocket(endpoint.address.family, kind)
        _ = vk_set_socket_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        guard bindSocket(descriptor, to: endpoint) else {
            throw failure("bind", "\(endpoint)", descriptor)
        }
        return descriptor
    }

    private static func listening(_ descriptor: Int32, _ name: String) throws(SystemError) -> Int32 {
        guard listen(descriptor, backlog) == 0 else { throw failure("listen", name, descriptor) }
        return descriptor
    }

    private static func failure(_ what: String, _ name: String, _ descriptor: Int32) -> SystemError {
        let error = SystemError("\(what) for clients on \(name)")
        close(descriptor)
        return error
    }
}
