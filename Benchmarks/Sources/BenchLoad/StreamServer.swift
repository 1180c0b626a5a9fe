import CBench
import Glibc

/// Echoes what comes, or counts it when a connection begins with `S`. One thread, level-triggered.
struct StreamServer {
    private struct Connection {
        var isSink = false
        var hasBegun = false
        var count: UInt64 = 0
    }

    /// Descriptors of this process, and so connections.
    private static let descriptorsMax = 65_536
    private static let echoBytes = 65_536
    private static let headerMagic: [UInt8] = [0xf6, 0x56, 0x4b, 0x0a]

    private let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    private var listeners: Set<Int32> = []
    private let behindHeader: Bool
    private var connections = [Connection](repeating: Connection(), count: descriptorsMax)
    private let buffer = UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 16)

    init(ports: [UInt16], behindHeader: Bool) throws(LoadError) {
        self.behindHeader = behindHeader
        for port in ports {
            let listener = bench_socket(Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue))
            guard listener >= 0, bench_bind(listener, 0, port) == 0, listen(listener, 4096) == 0 else {
                throw .system("listen on port \(port)")
            }
            listeners.insert(listener)
            watch(listener)
        }
    }

    private func watch(_ descriptor: Int32) {
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: descriptor))
        epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)
    }

    mutating func run() throws(LoadError) -> Never {
        var events = [epoll_event](repeating: epoll_event(), count: 256)
        while true {
            let ready = epoll_wait(epoll, &events, Int32(events.count), -1)
            for index in 0..<max(0, Int(ready)) {
                let descriptor = events[index].data.fd
                if listeners.contains(descriptor) { accept(descriptor) } else { serve(descriptor) }
            }
        }
    }

    private mutating func accept(_ listener: Int32) {
        while true {
            let descriptor = bench_accept(listener)
            guard descriptor >= 0 else { return }
            guard Int(descriptor) < Self.descriptorsMax else {
                close(descriptor)
                continue
            }
            connections[Int(descriptor)] = Connection(hasBegun: !behindHeader)
            watch(descriptor)
        }
    }

    private mutating func serve(_ descriptor: Int32) {
        let slot = Int(descriptor)
        guard connections[slot].hasBegun else { return begin(descriptor) }
        let isSink = connections[slot].isSink
        let count = recv(descriptor, buffer, isSink ? 1 << 20 : Self.echoBytes, 0)
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else {
            if isSink { send(descriptor, &connections[slot].count, 8, Int32(MSG_NOSIGNAL)) }
            close(descriptor)
            return
        }
        if connections[slot].count == 0 {
            connections[slot].isSink = buffer.load(as: UInt8.self) == UInt8(ascii: "S")
        }
        connections[slot].count += UInt64(count)
        if !connections[slot].isSink { echo(descriptor, count) }
    }

    /// Answers the header of a router, if there is one, as the router of a peer with the same version does: with a header
    /// like it, without flags (byte 5). Its length is in bytes 6 and 7. A router sends it in one segment; whoever sends
    /// less than eight bytes at first is none.
    private mutating func begin(_ descriptor: Int32) {
        let count = recv(descriptor, buffer, 8, Int32(MSG_PEEK))
        if count < 0, errno == EAGAIN { return }
        connections[Int(descriptor)].hasBegun = true
        let start = UnsafeRawBufferPointer(start: buffer, count: max(0, count))
        if start.count == 8, start.prefix(4).elementsEqual(Self.headerMagic) {
            let length = recv(descriptor, buffer, Int(start[6]) << 8 | Int(start[7]), 0)
            buffer.storeBytes(of: 0, toByteOffset: 5, as: UInt8.self)
            if length > 0 { echo(descriptor, length) }
        }
        serve(descriptor)
    }

    private func echo(_ descriptor: Int32, _ count: Int) {
        var sent = 0
        while sent < count {
            let part = send(descriptor, buffer + sent, count - sent, Int32(MSG_NOSIGNAL))
            if part > 0 {
                sent += part
            } else if errno != EAGAIN || bench_wait_writable(descriptor) != 0 {
                // Whoever does not read what it asked for has ended, or is told so by the next read.
                shutdown(descriptor, Int32(SHUT_RDWR))
                return
            }
        }
    }
}
