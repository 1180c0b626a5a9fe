import CLinux
import Glibc
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// A socket of one kind of IP in some network namespace, with the few calls the tests need. Blocking, but never for more than ten
/// seconds.
final class TestSocket: Sendable {
    let number: Int32
    private let family: IPAddress.Family

    init(_ number: Int32, _ family: IPAddress.Family = .v4) throws {
        if number < 0 { throw SystemError("socket") }
        (self.number, self.family) = (number, family)
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            try check(setsockopt(number, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size)), "limit")
        }
    }

    deinit { close(number) }

    /// A socket for a transport protocol in a network namespace.
    convenience init(
        _ namespace: Int32, _ transport: TransportProtocol, _ family: IPAddress.Family = .v4
    ) throws {
        let type = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
        try self.init(vk_socket_in(namespace, family.system, Int32(type.rawValue), 0), family)
        if family == .v6 { try set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        try check(vk_set_socket_option(number, SOL_SOCKET, SO_REUSEADDR, 1), "reuse")
    }

    @discardableResult
    private func check(_ result: Int, _ attempt: String) throws -> Int {
        if result < 0 { throw SystemError(attempt) }
        return result
    }

    @discardableResult
    private func check(_ result: Int32, _ attempt: String) throws -> Int { try check(Int(result), attempt) }

    func bind(_ port: UInt16, at address: IPAddress? = nil) throws {
        try check(vk_bind(number, vk_endpoint(address ?? family.any, port)), "bind")
    }

    func listen(_ port: UInt16) throws {
        try bind(port)
        try check(Glibc.listen(number, 8), "listen")
    }

    /// The next connection, or an error after ten seconds.
    func accept() throws -> TestSocket { try TestSocket(vk_accept4(number, 0), family) }

    /// Whether a connection waits to be accepted.
    var hasConnection: Bool {
        var state = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        return poll(&state, 1, 0) == 1
    }

    func connect(_ endpoint: Endpoint) throws {
        try check(vk_connect(number, vk_endpoint(endpoint)), "connect")
    }

    /// Whom a connection leads to.
    func peer() throws -> Endpoint {
        var endpoint = vk_endpoint()
        try check(vk_peer_address(number, &endpoint), "peer")
        return Endpoint(endpoint)
    }

    func localPort() throws -> UInt16 {
        var endpoint = vk_endpoint()
        try check(vk_local_address(number, &endpoint), "local")
        return endpoint.port
    }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            sent += try bytes.withUnsafeBytes {
                try check(Glibc.send(number, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL)), "send")
            }
        }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// So many bytes, or fewer at the end.
    func receive(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var buffer = [UInt8](repeating: 0, count: count - bytes.count)
            let part = try check(recv(number, &buffer, buffer.count, 0), "receive")
            if part == 0 { break }
            bytes += buffer[..<part]
        }
        return bytes
    }

    func receive(_ text: String) throws -> Bool { try receive(text.utf8.count) == Array(text.utf8) }

    /// A datagram and whom it is from.
    func receiveDatagram() throws -> (text: String, from: Endpoint) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var address = [UInt8](repeating: 0, count: 28)
        var length = socklen_t(28)
        let count = try address.withUnsafeMutableBytes { address in
            try check(
                recvfrom(
                    number, &buffer, buffer.count, 0, address.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                    &length), "receive")
        }
        func word(_ range: Range<Int>) -> UInt64 { address[range].reduce(0) { $0 << 8 | UInt64($1) } }
        let from = Endpoint(
            address: family == .v4
                ? IPAddress(v4: UInt32(word(4..<8))) : IPAddress(high: word(8..<16), low: word(16..<24)),
            port: UInt16(word(2..<4)))
        return (String(decoding: buffer[..<count], as: UTF8.self), from)
    }

    func sendDatagram(_ text: String, to endpoint: Endpoint) throws {
        try sendDatagram(Array(text.utf8), to: endpoint)
    }

    func sendDatagram(_ bytes: [UInt8], to endpoint: Endpoint) throws {
        func raw<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] { withUnsafeBytes(of: number) { Array($0) } }
        var address = raw(UInt16(family.system)) + raw(endpoint.port.bigEndian)
        if let number = endpoint.address.v4 {
            address += raw(number.bigEndian) + raw(UInt64(0))
        } else {
            address += raw(UInt32(0)) + raw(endpoint.address.high.bigEndian) + raw(endpoint.address.low.bigEndian)
            address += raw(UInt32(0))
        }
        try address.withUnsafeBytes { address in
            _ = try check(
                sendto(
                    number, bytes, bytes.count, 0, address.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                    socklen_t(address.count)), "send")
        }
    }

    func set(_ level: Int32, _ option: Int32, _ value: Int32) throws {
        try check(vk_set_socket_option(number, level, option, value), "option")
    }

    func set(_ level: Int32, _ option: Int32, bytes: [UInt8]) throws {
        try check(setsockopt(number, level, option, bytes, socklen_t(bytes.count)), "option")
    }
}
