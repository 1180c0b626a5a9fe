import CFSModel
import NIOCore

extension SocketAddress {
    /// Where a node's process is.
    init(_ address: NodeAddress) {
        guard
            let place = try? SocketAddress(packedIPAddress: ByteBuffer(integer: address.ipv4), port: Int(address.port))
        else { preconditionFailure("four bytes are an IPv4 address") }
        self = place
    }
}
