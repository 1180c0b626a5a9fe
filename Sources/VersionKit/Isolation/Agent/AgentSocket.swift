import CLinux
import Glibc
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// Sockets between a node and the agents of its environments.
enum AgentSocket {
    /// The descriptor at which an agent inherits its socket.
    static let inherited: Int32 = 3
    private static let backlog: Int32 = 8
    /// The node's address alone does not tell versiond from any other program there; only a privileged one has these ports.
    private static let ownPorts: ClosedRange<UInt16> = 512...1023
    /// How long a machine on the node's own link may take to answer, in milliseconds: not the second after which the kernel
    /// asks again, whose answer would come just when nobody waits for it.
    private static let connectMilliseconds: Int32 = 2500

    /// Listens at a path, in place of what is there: for an agent that inherits the socket and need not see the path.
    static func listen(at path: String) throws(IsolationError) -> Int32 {
        do throws(SystemError) {
            let descriptor = try unixSocket()
            unlink(path)
            guard vk_bind_unix(descriptor, path) == 0, Glibc.listen(descriptor, backlog) == 0 else {
                throw closing(descriptor, SystemError("listen at \(path)"))
            }
            return descriptor
        } catch {
            throw IsolationError("\(error)")
        }
    }

    /// Connects to an agent; `nil` if there is none. Blocks for three seconds at most.
    static func connect(to address: AgentAddress) throws(IsolationError) -> Int32? {
        do throws(SystemError) {
            switch address {
            case .unix(let path): return try connect(path)
            case .tcp(let endpoint): return try connect(endpoint)
            }
        } catch {
            if [ECONNREFUSED, ENOENT, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT].contains(error.code) { return nil }
            throw IsolationError("\(error)")
        }
    }

    private static func connect(_ path: String) throws(SystemError) -> Int32 {
        let descriptor = try unixSocket()
        guard vk_connect_unix(descriptor, path) == 0 else {
            throw closing(descriptor, SystemError("connect to \(path)"))
        }
        return descriptor
    }

    private static func connect(_ endpoint: Endpoint) throws(SystemError) -> Int32 {
        let descriptor = try openSocket(endpoint.address.family, .stream, blocks: false)
        let hasPort = ownPorts.reversed().contains { port in
            bindSocket(descriptor, to: Endpoint(address: endpoint.address.family.any, port: port))
        }
        guard hasPort else { throw closing(descriptor, SystemError("take a port below 1024")) }
        if !connectSocket(descriptor, to: endpoint) {
            guard errno == EINPROGRESS else { throw closing(descriptor, SystemError("connect to \(endpoint)")) }
            var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let code = poll(&entry, 1, connectMilliseconds) > 0 ? vk_socket_error(descriptor) : ETIMEDOUT
            guard code == 0 else { throw closing(descriptor, SystemError("connect to \(endpoint)", code: code)) }
        }
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        return descriptor
    }

    private static func unixSocket() throws(SystemError) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        return descriptor
    }

    private static func closing(_ descriptor: Int32, _ error: SystemError) -> SystemError {
        close(descriptor)
        return error
    }
}
