import CLinux
import Glibc
import Synchronization
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// A blocking client of Redis that knows nothing of the adapter: so it can find the adapter's mistakes.
final class RedisClient: Sendable {
    private let descriptor: Int32
    private let unread = Mutex<[UInt8]>([])

    init(to endpoint: Endpoint) throws(SystemError) {
        let descriptor = try openSocket(endpoint.address.family, .stream)
        var timeout = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        guard connectSocket(descriptor, to: endpoint) else {
            let error = SystemError("connect to \(endpoint)")
            close(descriptor)
            throw error
        }
        // Not before: what is whole is closed once more when it goes, and by then the number may be somebody else's.
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Sends bytes as they are.
    func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// A command as client libraries send it.
    static func command(_ words: [String]) -> String {
        "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
    }

    /// Asks and waits for the reply: errors begin with `-`, nothing is `(nil)`, arrays are joined by commas. `nil`: the
    /// connection ended.
    func ask(_ words: String...) -> String? {
        send(Self.command(words))
        return reply()
    }

    func reply() -> String? {
        guard let line = line() else { return nil }
        let rest = String(line.dropFirst())
        switch line.first {
        case "-": return line
        case "$":
            guard let length = Int(rest), length >= 0 else { return "(nil)" }
            return bytes(length + 2).map { String(decoding: $0.dropLast(2), as: UTF8.self) }
        case "*", "~", "%":
            guard let count = Int(rest), count >= 0 else { return "(nil)" }
            var parts: [String] = []
            for _ in 0..<(line.first == "%" ? 2 * count : count) {
                guard let part = reply() else { return nil }
                parts.append(part)
            }
            return parts.joined(separator: ",")
        case "_": return "(nil)"
        default: return rest
        }
    }

    /// The next line, without its end.
    func line() -> String? {
        while true {
            let line = unread.withLock { unread -> String? in
                guard let end = unread.firstIndex(of: 10) else { return nil }
                defer { unread.removeSubrange(...end) }
                return String(decoding: unread[..<end].dropLast(), as: UTF8.self)
            }
            if let line { return line }
            guard receive() else { return nil }
        }
    }

    private func bytes(_ count: Int) -> [UInt8]? {
        while unread.withLock({ $0.count }) < count { guard receive() else { return nil } }
        return unread.withLock { unread in
            defer { unread.removeFirst(count) }
            return Array(unread.prefix(count))
        }
    }

    private func receive() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        unread.withLock { $0 += buffer[..<count] }
        return true
    }
}
