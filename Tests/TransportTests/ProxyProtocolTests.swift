import NIOCore
import Testing

@testable import VersionKitTransport

/// The bytes by which a version is told who its client is, as proxy-protocol.txt has them.
@Suite("PROXY protocol")
struct ProxyProtocolTests {
    private let signature: [UInt8] = Array("\r\n\r\n\0\r\nQUIT\n".utf8)

    private func header(_ client: String, _ own: String, isDatagram: Bool = false) throws -> [UInt8] {
        let bytes = ProxyProtocol.header(
            from: try SocketAddress(ipAddress: client, port: 0x1234), to: try SocketAddress(ipAddress: own, port: 443),
            isDatagram: isDatagram)
        return Array(bytes.readableBytesView)
    }

    @Test("an address of IPv4", arguments: [(false, UInt8(0x11)), (true, 0x12)])
    func v4(_ isDatagram: Bool, _ kind: UInt8) throws {
        let expected = signature + [0x21, kind, 0, 12, 192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x34, 1, 187]
        #expect(try header("192.0.2.1", "198.51.100.2", isDatagram: isDatagram) == expected)
    }

    @Test("an address of IPv6", arguments: [(false, UInt8(0x21)), (true, 0x22)])
    func v6(_ isDatagram: Bool, _ kind: UInt8) throws {
        let client: [UInt8] = [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1]
        let own: [UInt8] = [0xfe, 0x80] + [UInt8](repeating: 0, count: 13) + [9]
        let expected = signature + [0x21, kind, 0, 36] + client + own + [0x12, 0x34, 1, 187]
        #expect(try header("2001:db8::1", "fe80::9", isDatagram: isDatagram) == expected)
    }

    @Test("of two kinds, the one of IPv4 is written as IPv6 has it")
    func mixed() throws {
        let client: [UInt8] = [UInt8](repeating: 0, count: 10) + [0xff, 0xff, 192, 0, 2, 1]
        let own: [UInt8] = [UInt8](repeating: 0, count: 15) + [1]
        let expected = signature + [0x21, 0x21, 0, 36] + client + own + [0x12, 0x34, 1, 187]
        #expect(try header("192.0.2.1", "::1") == expected)
    }

    @Test("a client on a Unix socket has no address: the server takes the connection's own")
    func local() throws {
        let path = try SocketAddress(unixDomainSocketPath: "/tmp/x")
        let header = ProxyProtocol.header(from: path, to: path)
        #expect(Array(header.readableBytesView) == signature + [0x20, 0, 0, 0])
    }
}
