import CLinux
import Glibc
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// A TCP connection between two routers, read and written by one thread that may wait, with a time-out for every step.
struct BlockingConnection: ~Copyable {
    /// The longest line of the conversation, in bytes.
    private static let lineMax = 1024
    /// How long a step may take, in seconds.
    private static let stepTimeout = 10
    /// The smallest buffer that a connection gets whose bytes are held up.
    private static let bufferBytesMin = 16 << 10

    private let descriptor: Int32
    private var unread: [UInt8]
    /// Whether the other side has said anything yet.
    private(set) var hasHeard = false
    /// What holds its bytes up.
    private let limits: TransferLimits
    /// For how long that held up what it receives: no peer's fault, and so no part of what a peer may take.
    private var held = Duration.zero

    /// Takes a connected socket over, with bytes that were read from it already.
    init(descriptor: Int32, unread: [UInt8] = [], limits: TransferLimits = TransferLimits()) {
        self.descriptor = descriptor
        self.unread = unread
        self.limits = limits
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        Self.setTimeouts(of: descriptor)
    }

    /// Connects.
    ///
    /// - Parameter own: the address to come from; `nil`: the system's choice, of which a host with several has some.
    init(to endpoint: Endpoint, from own: IPAddress? = nil, limits: TransferLimits = TransferLimits()) throws {
        self.init(descriptor: try Self.connect(to: endpoint, from: own, limits), limits: limits)
    }

    private static func connect(
        to endpoint: Endpoint, from own: IPAddress?, _ limits: TransferLimits
    ) throws(SystemError) -> Int32 {
        let socket = try openSocket(endpoint.address.family, .stream)
        // The send time-out holds for connect too.
        setTimeouts(of: socket)
        if let download = limits.download {
            // What the kernel takes in is on this side already.
            var bytes = Int32(max(4 * download.pieceBytes, bufferBytesMin))
            setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        let isBound = own.map { bindSocket(socket, to: Endpoint(address: $0, port: 0)) } ?? true
        guard isBound, connectSocket(socket, to: endpoint) else {
            let error = SystemError("connect to the router at \(endpoint)")
            close(socket)
            throw error
        }
        return socket
    }

    private static func setTimeouts(of socket: Int32) {
        var timeout = timeval(tv_sec: stepTimeout, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(socket, SOL_SOCKET, option, &timeout, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    deinit { close(descriptor) }

    /// Sends all of it.
    func send(_ bytes: [UInt8]) throws {
        var deadline = ContinuousClock.now + TransferPace().limit(UInt64(bytes.count))
        var sent = 0
        while sent < bytes.count {
            let wanted = min(bytes.count - sent, limits.upload?.pieceBytes ?? .max)
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress?.advanced(by: sent), wanted, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemError("send to a router") }
            sent += count
            if let upload = limits.upload { deadline += upload.wait(for: count) }
            if sent < bytes.count { try check(deadline) }
        }
    }

    /// The next line without its end; `nil` when the other side has nothing more to say.
    mutating func line() throws -> String? {
        let deadline = ContinuousClock.now + .seconds(2 * Self.stepTimeout)
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread.removeSubrange(...end)
                hasHeard = true
                return line
            }
            guard unread.count <= Self.lineMax else { throw NodeError("a router sent a line without an end") }
            let more = try receive(Self.lineMax)
            guard !more.isEmpty else { return nil }
            unread += more
            try check(deadline)
        }
    }

    /// At least one and at most so many of the next bytes; none at the end.
    private mutating func bytes(_ countMax: Int) throws -> [UInt8] {
        guard unread.isEmpty else {
            defer { unread.removeFirst(min(countMax, unread.count)) }
            return Array(unread.prefix(countMax))
        }
        return try receive(countMax)
    }

    /// Exactly so many bytes.
    ///
    /// - Parameter deadline: of ``deadline(in:)``; `nil`: as long as that may take.
    mutating func exactly(_ count: Int, by deadline: ContinuousClock.Instant? = nil) throws -> [UInt8] {
        let deadline = deadline ?? self.deadline(in: TransferPace().limit(UInt64(count)))
        var all: [UInt8] = []
        while all.count < count {
            let more = try bytes(min(count - all.count, limits.download?.pieceBytes ?? .max))
            if let download = limits.download { held += download.wait(for: more.count) }
            guard !more.isEmpty else { throw NodeError("a router ended the conversation in the middle of an answer") }
            all += more
            if all.count < count { try check(deadline + held) }
        }
        return all
    }

    /// When so much time will be over, but for the time in which this side held up what came.
    func deadline(in time: Duration) -> ContinuousClock.Instant { .now - held + time }

    private func check(_ deadline: ContinuousClock.Instant) throws {
        guard ContinuousClock.now < deadline else { throw NodeError("a router is too slow") }
    }

    private func receive(_ countMax: Int) throws -> [UInt8] {
        while true {
            var count = 0
            let buffer = [UInt8](unsafeUninitializedCapacity: countMax) { buffer, length in
                count = recv(descriptor, buffer.baseAddress, countMax, 0)
                length = max(count, 0)
            }
            if count >= 0 { return buffer }
            if errno != EINTR { throw SystemError("receive from a router") }
        }
    }
}
