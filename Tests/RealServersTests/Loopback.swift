import CLinux
import Glibc
import VersionKitModel
import VersionKitProcesses
import VersionKitTransport

/// Ports of this machine's own network.
enum Loopback {
    private static let address = IPv4Address(number: 0x7F00_0001)

    /// A port that nobody has at the moment.
    static func freeEndpoint() throws(SystemError) -> Endpoint {
        let (descriptor, endpoint) = try listen()
        close(descriptor)
        return endpoint
    }

    /// A listening socket on a free port.
    static func listen() throws(SystemError) -> (Int32, Endpoint) {
        let descriptor = try ClientListener.open(.stream(Endpoint(address: address, port: 0)))
        var own = vk_endpoint()
        guard vk_local_address(descriptor, &own) == 0 else { throw SystemError("getsockname") }
        return (descriptor, Endpoint(address: address, port: UInt16(bigEndian: own.port)))
    }
}
