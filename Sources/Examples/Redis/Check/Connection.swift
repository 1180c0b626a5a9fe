import Glibc
import RedisCheckModel
import VersionKitProcesses

/// A blocking connection to a Redis.
final class Connection {
    /// Whoever does not answer for so long has failed.
    private static let patience = timeval(tv_sec: 30, tv_usec: 0)

    private let socket: Int32
    private var parser = ReplyParser()
    private var buffer = [UInt8](repeating: 0, count: 16 << 10)

    init(host: String, port: UInt16) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { throw Problem("\(host) is no address") }
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw SystemError("socket") }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            let error = SystemError("connect")
            close(socket)
            throw error
        }
        var isOn: Int32 = 1
        var patience = Self.patience
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(socket) }

    func send(_ requests: [[String]]) throws {
        var bytes: [UInt8] = []
        for words in requests {
            bytes += "*\(words.count)\r\n".utf8
            for word in words { bytes += "$\(word.utf8.count)\r\n\(word)\r\n".utf8 }
        }
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { write(socket, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemError("send") }
            sent += count
        }
    }

    func receive() throws -> Reply {
        while true {
            do {
                if let reply = try parser.next() { return reply }
            } catch {
                throw Problem("what came is no reply")
            }
            let count = read(socket, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw SystemError("receive") }
            guard count > 0 else { throw Problem("the connection was closed") }
            parser.append(buffer[..<count])
        }
    }
}
