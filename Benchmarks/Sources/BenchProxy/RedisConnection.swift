import BenchPrograms
import Glibc

/// A client of a Redis, or of something that speaks like one, that waits for each answer.
final class RedisConnection {
    enum Reply: Equatable {
        case text(String)
        case error(String)
        case integer(Int)
        case none
        case other
    }

    private let descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: 65536)
    private var start = 0
    private var end = 0

    init(port: UInt16, timeoutSeconds: Int = 10) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw BenchError.system("socket") }
        var yes: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, size)
        var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        let timeoutSize = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, timeoutSize)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, timeoutSize)
        let result = Loopback.withAddress(port) { connect(descriptor, $0, $1) }
        // A class's deinit runs only when all of it was initialised; it is, so it closes the descriptor.
        guard result == 0 else { throw BenchError.system("connect 127.0.0.1:\(port)") }
    }

    deinit { close(descriptor) }

    /// A request as it goes over the wire.
    static func encode(_ words: [String]) -> [UInt8] {
        var bytes = Array("*\(words.count)\r\n".utf8)
        for word in words { bytes += Array("$\(word.utf8.count)\r\n\(word)\r\n".utf8) }
        return bytes
    }

    /// One request and its answer.
    func ask(_ words: String...) throws -> Reply {
        try send(Self.encode(words))
        return try reply()
    }

    func send(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { all in
            var sent = 0
            while sent < all.count {
                let count = Glibc.send(descriptor, all.baseAddress?.advanced(by: sent), all.count - sent, 0)
                guard count > 0 else { throw BenchError.system("send") }
                sent += count
            }
        }
    }

    /// Reads one answer; of arrays only that there is one.
    func reply() throws -> Reply {
        let line = try self.line()
        let rest = String(line.dropFirst())
        switch line.first {
        case "+": return .text(rest)
        case "-": return .error(rest)
        case ":": return Int(rest).map { .integer($0) } ?? .other
        case "$":
            guard let count = Int(rest), count >= 0 else { return .none }
            while end - start < count + 2 { try fill() }
            let text = String(decoding: buffer[start..<start + count], as: UTF8.self)
            start += count + 2
            return .text(text)
        default: return .other
        }
    }

    /// How long one request takes, in nanoseconds. Only reads as much as the answer is known to have: what is measured
    /// is the peer, not our parser.
    func time(_ request: [UInt8], replyLength: Int) throws -> UInt64 {
        let before = Self.now()
        try send(request)
        var received = 0
        while received < replyLength {
            let count = buffer.withUnsafeMutableBytes {
                recv(descriptor, $0.baseAddress?.advanced(by: received), $0.count - received, 0)
            }
            guard count > 0 else { throw BenchError.system("recv") }
            received += count
            if buffer[0] == UInt8(ascii: "-") {
                throw BenchError("the answer is \(String(decoding: buffer[..<received], as: UTF8.self))")
            }
        }
        let after = Self.now()
        guard received == replyLength else { throw BenchError("the answer has \(received) bytes, not \(replyLength)") }
        return after - before
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private func line() throws -> String {
        var scanned = start
        while true {
            if let newline = buffer[scanned..<end].firstIndex(of: UInt8(ascii: "\n")) {
                let text = String(decoding: buffer[start..<max(start, newline - 1)], as: UTF8.self)
                start = newline + 1
                return text
            }
            let seen = end - start
            try fill()
            scanned = start + seen
        }
    }

    private func fill() throws {
        if start > 0 {
            buffer.replaceSubrange(0..<end - start, with: Array(buffer[start..<end]))
            end -= start
            start = 0
        }
        if end == buffer.count { buffer += [UInt8](repeating: 0, count: buffer.count) }
        let count = buffer.withUnsafeMutableBytes {
            recv(descriptor, $0.baseAddress?.advanced(by: end), $0.count - end, 0)
        }
        guard count != 0 else { throw BenchError("the connection was closed") }
        guard count > 0 else { throw BenchError.system("recv") }
        end += count
    }
}
