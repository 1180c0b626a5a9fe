import CLinux
import Glibc
import Testing
import VersionKitModel
import VersionKitSockets
import VersionKitTestbed
import VersionKitTransport

/// A blocking TCP socket of a test, in the network namespace of its choice. Whatever it waits for comes within 20 s.
final class TestStream: Sendable {
    let socket: Int32

    private init(_ socket: Int32) {
        self.socket = socket
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(socket) }

    /// A connection to the registered port of an address, or `nil` if nobody listens there.
    static func connectIfOpen(to address: IPAddress, in namespace: Int32) throws -> TestStream? {
        let stream = TestStream(try make(address.family, namespace))
        let port = RelayFleet.port
        return connectSocket(stream.socket, to: Endpoint(address: address, port: port)) ? stream : nil
    }

    /// A connection to the registered port of an address.
    static func connect(
        to address: IPAddress, port: UInt16 = RelayFleet.port, in namespace: Int32
    ) throws -> TestStream {
        let stream = TestStream(try make(address.family, namespace))
        try #require(connectSocket(stream.socket, to: Endpoint(address: address, port: port)))
        return stream
    }

    /// How a connection ends at once that is accepted in a peer's name and then refused: the reset may be there before
    /// the connection is seen to stand.
    static func refusal(
        to address: IPAddress, port: UInt16 = RelayFleet.port, in namespace: Int32
    ) throws -> End {
        let stream = TestStream(try make(address.family, namespace))
        guard connectSocket(stream.socket, to: Endpoint(address: address, port: port)) else {
            return errno == ECONNRESET || errno == ECONNREFUSED ? .reset : .nothing(errno)
        }
        return stream.end()
    }

    /// A listener at the registered port.
    static func listen(
        _ family: IPAddress.Family = .v4, port: UInt16 = RelayFleet.port, in namespace: Int32
    ) throws -> TestStream {
        try #require(try listenIfFree(family, port: port, in: namespace))
    }

    /// A listener at the registered port, or `nil` if somebody else listens there.
    static func listenIfFree(
        _ family: IPAddress.Family = .v4, port: UInt16 = RelayFleet.port, in namespace: Int32
    ) throws -> TestStream? {
        let stream = TestStream(try make(family, namespace))
        _ = vk_set_socket_option(stream.socket, SOL_SOCKET, SO_REUSEADDR, 1)
        guard bindSocket(stream.socket, to: Endpoint(address: family.any, port: port)),
            Glibc.listen(stream.socket, 128) == 0
        else {
            return nil
        }
        return stream
    }

    private static func make(_ family: IPAddress.Family, _ namespace: Int32) throws -> Int32 {
        let socket = vk_socket_in(namespace, family.system, Int32(SOCK_STREAM.rawValue), 0)
        try #require(socket >= 0)
        return socket
    }

    func accept() throws -> TestStream {
        let socket = vk_accept4(socket, 0)
        try #require(socket >= 0, "nothing came: errno \(errno)")
        return TestStream(socket)
    }

    /// The next connection, or `nil` when nobody listens any more.
    func acceptIfOpen() -> TestStream? {
        let socket = vk_accept4(socket, 0)
        return socket >= 0 ? TestStream(socket) : nil
    }

    /// Whether a connection waits to be accepted.
    var hasConnection: Bool {
        var watched = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, 0) > 0
    }

    /// The port of this end.
    var port: Int? { localEndpoint(of: socket).map { Int($0.port) } }

    /// The address at the other end.
    var peer: IPAddress? { remoteEndpoint(of: socket)?.address }

    /// The port at the other end.
    var peerPort: UInt16? { remoteEndpoint(of: socket)?.port }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Listens no more; what came and was not accepted is reset.
    func stopListening() { shutdown(socket, Int32(SHUT_RDWR)) }

    /// Sends no more.
    func finish() { shutdown(socket, Int32(SHUT_WR)) }

    /// The next so many bytes, or fewer at the end.
    func receive(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var received = 0
        while received < count {
            let more = bytes[received...].withUnsafeMutableBytes { recv(socket, $0.baseAddress, $0.count, 0) }
            guard more > 0 else { break }
            received += more
        }
        return Array(bytes[..<received])
    }

    func text(_ count: Int) -> String { String(decoding: receive(count), as: UTF8.self) }

    /// What comes next instead of bytes.
    enum End: Equatable {
        case finished
        case reset
        case bytes
        case nothing(Int32)
    }

    /// Waits for the end.
    func end() -> End {
        var byte: UInt8 = 0
        let count = recv(socket, &byte, 1, 0)
        if count > 0 { return .bytes }
        if count == 0 { return .finished }
        return errno == ECONNRESET ? .reset : .nothing(errno)
    }
}

extension TestStream {
    /// Connects, sends a text, has a server answer it, and checks that both came through.
    static func exchange(
        _ text: String = "hello", to address: IPAddress, in namespace: Int32, with server: TestStream
    ) throws {
        let client = try connect(to: address, in: namespace)
        client.send(text)
        let accepted = try server.accept()
        #expect(accepted.text(text.utf8.count) == text)
        accepted.send("re: \(text)")
        #expect(client.text(text.utf8.count + 4) == "re: \(text)")
        client.finish()
        #expect(accepted.end() == .finished)
        accepted.finish()
        #expect(client.end() == .finished)
    }

    /// Bytes whose period is no power of two, so that what is lost or doubled shows.
    static func pattern(_ count: Int, by step: Int) -> [UInt8] {
        let block = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 &* step >> 3) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + block.count)
        while bytes.count < count { bytes += block }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
