import Glibc
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets
import VersionKitTransport

/// Ports of this machine's own network.
enum Loopback {
    /// A port that nobody has at the moment.
    static func freeEndpoint() throws(SystemError) -> Endpoint {
        let (descriptor, endpoint) = try listen()
        close(descriptor)
        return endpoint
    }

    /// A listening socket on a free port.
    static func listen() throws(SystemError) -> (Int32, Endpoint) {
        let descriptor = try ClientListener.open(.stream(Endpoint(address: IPAddress.Family.v4.loopback, port: 0)))
        guard let own = localEndpoint(of: descriptor) else { throw SystemError("getsockname") }
        return (descriptor, own)
    }
}
