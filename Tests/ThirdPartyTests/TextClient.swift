import CLinux
import Glibc
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets
import VersionKitTestbed

/// A blocking client of a server that speaks in lines.
final class TextClient {
    private let descriptor: Int32
    private var unread: [UInt8] = []

    init(host: TestbedHost, to endpoint: Endpoint) throws {
        descriptor = try host.socket(domain: AF_INET, type: Int32(SOCK_STREAM.rawValue))
        var timeout = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        guard connectSocket(descriptor, to: endpoint) else { throw SystemError("connect to \(endpoint)") }
    }

    deinit { close(descriptor) }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// The next line without its end; `nil` when none came within a second, or the server closed.
    func line() -> String? {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread.removeSubrange(...end)
                return line.hasSuffix("\r") ? String(line.dropLast()) : line
            }
            guard receive() else { return nil }
        }
    }

    /// So many bytes.
    func bytes(_ count: Int) -> String? {
        while unread.count < count { guard receive() else { return nil } }
        defer { unread.removeFirst(count) }
        return String(decoding: unread[..<count], as: UTF8.self)
    }

    /// Everything until the server closes.
    func rest() -> String {
        while receive() {}
        return String(decoding: unread, as: UTF8.self)
    }

    private func receive() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        unread += buffer[..<count]
        return true
    }
}
