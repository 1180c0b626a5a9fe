import CLinux
import Glibc
import Synchronization
import VersionKitModel
import VersionKitProcesses

/// A server on loopback that answers each line with its name and the line, or misbehaves.
final class FakeVersion: Sendable {
    let endpoint: Endpoint
    private let listener: Int32
    private let seen = Mutex<[String]>([])

    /// What it does with a line.
    enum Answer {
        case say(String)
        case silence
        case close
    }

    /// The lines that came, in order.
    var lines: [String] { seen.withLock { $0 } }

    convenience init(_ name: String, isSilent: Bool = false) throws {
        try self.init(name) { isSilent ? .silence : .say("\(name):\($0)\n") }
    }

    convenience init(_ name: String, _ answer: @escaping @Sendable (String) -> Answer) throws {
        let (listener, endpoint) = try Loopback.listen()
        self.init(name, on: listener, endpoint, answer)
    }

    /// A version that was down: `socket` refused connections until now (``Loopback/refuse()``).
    convenience init(
        _ name: String, waking socket: Int32, _ endpoint: Endpoint,
        _ answer: (@Sendable (String) -> Answer)? = nil
    ) throws {
        guard Glibc.listen(socket, 64) == 0 else { throw SystemError("listen on loopback") }
        self.init(name, on: socket, endpoint, answer ?? { .say("\(name):\($0)\n") })
    }

    private init(
        _ name: String, on listener: Int32, _ endpoint: Endpoint, _ answer: @escaping @Sendable (String) -> Answer
    ) {
        self.listener = listener
        self.endpoint = endpoint
        SystemThread(name: name) { [self] in
            while true {
                let socket = accept(listener, nil, nil)
                guard socket >= 0 else { return }
                SystemThread(name: "\(name)-client") { [self] in
                    let connection = LineConnection(socket)
                    while let line = connection.readLine() {
                        seen.withLock { $0.append(line) }
                        switch answer(line) {
                        case .say(let text): connection.send(text)
                        case .silence: break
                        case .close: return
                        }
                    }
                }.start()
            }
        }.start()
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}

enum Loopback {
    static let address = IPv4Address(number: 0x7F00_0001)

    /// A listening socket on a free port.
    static func listen() throws(SystemError) -> (Int32, Endpoint) {
        let (descriptor, endpoint) = try refuse()
        guard Glibc.listen(descriptor, 64) == 0 else { throw SystemError("listen on loopback") }
        return (descriptor, endpoint)
    }

    static func endpoint(of descriptor: Int32) throws(SystemError) -> Endpoint {
        var own = vk_endpoint()
        guard vk_local_address(descriptor, &own) == 0 else { throw SystemError("getsockname") }
        return Endpoint(address: address, port: UInt16(bigEndian: own.port))
    }

    /// A port that refuses connections, and that nobody else gets as long as the socket is open.
    static func refuse() throws(SystemError) -> (Int32, Endpoint) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var own = vk_endpoint()
        guard descriptor >= 0, vk_bind_ipv4(descriptor, address.number.bigEndian, 0) == 0,
            vk_local_address(descriptor, &own) == 0
        else { throw SystemError("bind on loopback") }
        return (descriptor, Endpoint(address: address, port: UInt16(bigEndian: own.port)))
    }
}

/// One end of a conversation in lines. Blocks, for so many seconds at most.
final class LineConnection: Sendable {
    private let descriptor: Int32
    private let unread = Mutex<[UInt8]>([])

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var timeout = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    convenience init(to endpoint: Endpoint) throws(SystemError) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard vk_connect_ipv4(descriptor, endpoint.address.number.bigEndian, endpoint.port.bigEndian) == 0 else {
            throw SystemError("connect to \(endpoint)")
        }
        self.init(descriptor)
    }

    convenience init(unix path: String) throws(SystemError) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw SystemError("connect to \(path)") }
        self.init(descriptor)
    }

    deinit { close(descriptor) }

    /// Says that no more comes, and goes on reading.
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Sends a text again and again; whether the other end broke the connection before the last time.
    func sendUntilRefused(_ text: String, countMax: Int) -> Bool {
        let bytes = Array(String(repeating: text, count: 100).utf8)
        for _ in 0..<countMax / 100 where Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) < 0 {
            return true
        }
        return false
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// The next line, or `nil` at the end.
    func readLine() -> String? {
        unread.withLock { unread in
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                    defer { unread.removeSubrange(...end) }
                    return String(decoding: unread[..<end], as: UTF8.self)
                }
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { return nil }
                unread += buffer[..<count]
            }
        }
    }

    /// Asks and waits for the answer.
    func ask(_ request: String) -> String? {
        send(request + "\n")
        return readLine()
    }
}

/// A server on a UDP socket that answers each datagram with its name and the datagram.
final class FakeDatagramVersion: Sendable {
    let endpoint: Endpoint

    init(_ name: String) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard vk_bind_ipv4(descriptor, Loopback.address.number.bigEndian, 0) == 0 else { throw SystemError("bind") }
        endpoint = try Loopback.endpoint(of: descriptor)
        SystemThread(name: name) {
            var buffer = [UInt8](repeating: 0, count: 2048)
            var address = sockaddr_storage()
            while true {
                var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
                withUnsafeMutablePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
                        let count = recvfrom(descriptor, &buffer, buffer.count, 0, peer, &length)
                        let reply = Array("\(name):".utf8) + buffer.prefix(max(0, count))
                        _ = sendto(descriptor, reply, reply.count, 0, peer, length)
                    }
                }
            }
        }.start()
    }
}

/// A connected UDP socket. Blocks, for so many seconds at most.
final class DatagramConnection: Sendable {
    private let descriptor: Int32

    init(to endpoint: Endpoint) throws(SystemError) {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var timeout = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        guard vk_connect_ipv4(descriptor, endpoint.address.number.bigEndian, endpoint.port.bigEndian) == 0 else {
            throw SystemError("connect to \(endpoint)")
        }
    }

    deinit { close(descriptor) }

    func send(_ text: String) { _ = Glibc.send(descriptor, text, text.utf8.count, 0) }

    func ask(_ request: String) -> String? {
        send(request)
        var buffer = [UInt8](repeating: 0, count: 2048)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count < 0 ? nil : String(decoding: buffer.prefix(count), as: UTF8.self)
    }
}
