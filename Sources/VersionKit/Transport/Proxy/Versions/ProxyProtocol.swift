import NIOCore
import VersionKitModel

/// The header by which a proxy tells a server who its client is: version 2 of the PROXY protocol, as HAProxy defines it
/// (proxy-protocol.txt, section 2.2).
enum ProxyProtocol {
    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]

    /// The header of a connection, or of a datagram, in which it stands before the contents. Addresses that are no IP are
    /// announced as local ones: the server then takes the connection's own.
    static func header(
        from source: SocketAddress, to destination: SocketAddress, isDatagram: Bool = false
    ) -> ByteBuffer {
        var header = ByteBuffer(bytes: signature)
        let addresses = [source, destination].compactMap { $0.ipAddress.flatMap { IPAddress($0) } }
        let ports = [source, destination].compactMap { $0.port.flatMap { UInt16(exactly: $0) } }
        if addresses.count == 2, ports.count == 2 {
            let transport: UInt8 = isDatagram ? 2 : 1
            if let from = addresses[0].v4, let to = addresses[1].v4 {
                header.writeMultipleIntegers(UInt8(0x21), 0x10 | transport, UInt16(12))
                header.writeMultipleIntegers(from, to)
            } else {
                // One that is IPv4 is written as the IPv6 address that stands for it.
                header.writeMultipleIntegers(UInt8(0x21), 0x20 | transport, UInt16(36))
                for address in addresses { header.writeMultipleIntegers(address.high, address.low) }
            }
            header.writeMultipleIntegers(ports[0], ports[1])
        } else {
            header.writeMultipleIntegers(UInt8(0x20), UInt8(0x00), UInt16(0))
        }
        return header
    }
}
