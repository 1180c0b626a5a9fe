import CLinux
import Glibc
package import VersionKitModel
package import VersionKitProcesses

// What all sockets of this process begin with. The descriptors are the caller's.

/// What a socket carries.
package enum SocketKind: Sendable {
    case stream
    case datagrams
}

/// A socket for addresses of one kind, closed on exec.
package func openSocket(
    _ family: IPAddress.Family, _ kind: SocketKind, blocks: Bool = true
) throws(SystemError) -> Int32 {
    let type = kind == .stream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue
    let flags = SOCK_CLOEXEC.rawValue | (blocks ? 0 : SOCK_NONBLOCK.rawValue)
    let descriptor = socket(family.system, Int32(type | flags), 0)
    guard descriptor >= 0 else { throw SystemError("socket") }
    return descriptor
}

/// Connects a socket, or begins to; false: `errno` says why not.
package func connectSocket(_ socket: Int32, to endpoint: Endpoint) -> Bool {
    vk_connect(socket, vk_endpoint(endpoint)) == 0
}

/// Gives a socket an address; false: `errno` says why not.
package func bindSocket(_ socket: Int32, to endpoint: Endpoint) -> Bool { vk_bind(socket, vk_endpoint(endpoint)) == 0 }

/// The address of this end of a socket, which for an intercepted connection is what its other end wanted to reach.
package func localEndpoint(of socket: Int32) -> Endpoint? {
    var endpoint = vk_endpoint()
    return vk_local_address(socket, &endpoint) == 0 ? Endpoint(endpoint) : nil
}

/// The address of the other end; `nil` for a socket that is not connected.
package func remoteEndpoint(of socket: Int32) -> Endpoint? {
    var endpoint = vk_endpoint()
    return vk_peer_address(socket, &endpoint) == 0 ? Endpoint(endpoint) : nil
}
