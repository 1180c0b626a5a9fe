import CLinux
import Glibc
import Synchronization
import VersionKitModel
import VersionKitProcesses

/// A server on loopback that answers each line with its name and the line, or keeps silent.
final class FakeVersion: Sendable {
    let endpoint: Endpoint
    private let listener: Int32
    private let seen = Mutex<[String]>([])

    /// The lines that came, in order.
    var lines: [String] { seen.withLock { $0 } }

    init(_ name: String, isSilent: Bool = false) throws {
        let (listener, endpoint) = try Loopback.listen()
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
                        if !isSilent { connection.send("\(name):\(line)\n") }
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

    deinit { close(descriptor) }

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
