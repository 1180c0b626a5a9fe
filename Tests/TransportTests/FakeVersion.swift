import CLinux
import Glibc
import Synchronization
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// A server on loopback that answers each line with its name and the line, or misbehaves.
final class FakeVersion: Sendable {
    let endpoint: Endpoint
    private let listener: Int32
    private let seen = Mutex<[String]>([])
    private let whenBlocked: (@Sendable () -> Void)?

    /// What it does with a line.
    enum Answer {
        case say(String)
        case silence
        case close
        /// The beginning of a reply, and then the end.
        case breakOff(String)
    }

    /// The lines that came, in order.
    var lines: [String] { seen.withLock { $0 } }

    convenience init(_ name: String, isSilent: Bool = false) throws {
        try self.init(name) { isSilent ? .silence : .say("\(name):\($0)\n") }
    }

    /// A version of one's own making.
    ///
    /// - Parameters:
    ///   - socketBytes: what its sockets hold each way; `nil`: what the kernel thinks best.
    ///   - whenBlocked: called when nobody has taken its replies for a while.
    convenience init(
        _ name: String, socketBytes: Int32? = nil, whenBlocked: (@Sendable () -> Void)? = nil,
        _ answer: @escaping @Sendable (String) -> Answer
    ) throws {
        let (listener, endpoint) = try Loopback.refuse()
        if var bytes = socketBytes {
            for option in [SO_SNDBUF, SO_RCVBUF] {
                setsockopt(listener, SOL_SOCKET, option, &bytes, socklen_t(MemoryLayout<Int32>.size))
            }
        }
        guard Glibc.listen(listener, 64) == 0 else { throw SystemError("listen on loopback") }
        self.init(name, on: listener, endpoint, whenBlocked, answer)
    }

    /// A version that was down: `socket` refused connections until now (``Loopback/refuse()``).
    convenience init(
        _ name: String, waking socket: Int32, _ endpoint: Endpoint,
        _ answer: (@Sendable (String) -> Answer)? = nil
    ) throws {
        guard Glibc.listen(socket, 64) == 0 else { throw SystemError("listen on loopback") }
        self.init(name, on: socket, endpoint, nil, answer ?? { .say("\(name):\($0)\n") })
    }

    private init(
        _ name: String, on listener: Int32, _ endpoint: Endpoint, _ whenBlocked: (@Sendable () -> Void)?,
        _ answer: @escaping @Sendable (String) -> Answer
    ) {
        self.whenBlocked = whenBlocked
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
                        case .say(let text): connection.send(text, whenBlocked: self.whenBlocked)
                        case .silence: break
                        case .close: return
                        case .breakOff(let text):
                            connection.send(text)
                            return
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
    static let address = IPAddress.Family.v4.loopback

    /// A listening socket on a free port.
    static func listen() throws(SystemError) -> (Int32, Endpoint) {
        let (descriptor, endpoint) = try refuse()
        guard Glibc.listen(descriptor, 64) == 0 else { throw SystemError("listen on loopback") }
        return (descriptor, endpoint)
    }

    static func endpoint(of descriptor: Int32) throws(SystemError) -> Endpoint {
        guard let own = localEndpoint(of: descriptor) else { throw SystemError("getsockname") }
        return own
    }

    /// Begins to connect, and does not wait for it; the descriptor is the caller's.
    static func begin(to endpoint: Endpoint) throws(SystemError) -> Int32 {
        let descriptor = try openSocket(endpoint.address.family, .stream)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        _ = connectSocket(descriptor, to: endpoint)
        return descriptor
    }

    /// A port that refuses connections, and that nobody else gets as long as the socket is open.
    static func refuse() throws(SystemError) -> (Int32, Endpoint) {
        let descriptor = try openSocket(address.family, .stream)
        guard bindSocket(descriptor, to: Endpoint(address: address, port: 0)) else {
            throw SystemError("bind on loopback")
        }
        return (descriptor, try endpoint(of: descriptor))
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
        self.init(try openSocket(endpoint.address.family, .stream))
        guard connectSocket(descriptor, to: endpoint) else {
            throw SystemError("connect to \(endpoint)")
        }
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

    func send(_ text: String) { send(text, whenBlocked: nil) }

    /// Sends all of it.
    ///
    /// - Parameter whenBlocked: called once, if for half a second the other end takes nothing.
    func send(_ text: String, whenBlocked: (() -> Void)?) {
        var rest = Array(text.utf8)[...]
        var report = whenBlocked
        var patience = timeval(tv_sec: 0, tv_usec: report == nil ? 0 : 500_000)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else {
                guard count < 0, errno == EAGAIN, report != nil else { return }
                report?()
                report = nil
                patience = timeval(tv_sec: 0, tv_usec: 0)
                setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            }
        }
    }

    /// The next line, or `nil` at the end.
    func readLine() -> String? {
        unread.withLock { unread in
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            var searched = 0
            while true {
                if let end = unread[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                    defer { unread.removeSubrange(...end) }
                    return String(decoding: unread[..<end], as: UTF8.self)
                }
                searched = unread.count
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { return nil }
                unread += buffer[..<count]
            }
        }
    }

    /// Whether something came, or the end, within so many milliseconds.
    func isReadable(within milliseconds: Int32) -> Bool {
        var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&event, 1, milliseconds) > 0
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
    private let seen = Mutex<[String]>([])

    /// What came, in order.
    var datagrams: [String] { seen.withLock { $0 } }

    init(_ name: String) throws {
        let descriptor = try openSocket(Loopback.address.family, .datagrams)
        guard bindSocket(descriptor, to: Endpoint(address: Loopback.address, port: 0)) else {
            throw SystemError("bind")
        }
        endpoint = try Loopback.endpoint(of: descriptor)
        SystemThread(name: name) { [self] in
            var buffer = [UInt8](repeating: 0, count: 2048)
            var address = sockaddr_storage()
            while true {
                var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
                withUnsafeMutablePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
                        let count = recvfrom(descriptor, &buffer, buffer.count, 0, peer, &length)
                        let bytes = buffer.prefix(max(0, count))
                        seen.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
                        let reply = Array("\(name):".utf8) + bytes
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
        descriptor = try openSocket(endpoint.address.family, .datagrams)
        var timeout = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        guard connectSocket(descriptor, to: endpoint) else {
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
