import CLinux
import Glibc
import NIOCore
import Synchronization
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases
import VersionKitSockets
import VersionKitWire

@testable import VersionKitNode

/// The releases of a store at a loopback port, as versiond's router gives them, with all that it sends counted, and, if that
/// is wanted, changed.
final class CountingRouter: Sendable {
    /// What is done with the answers of one connection.
    struct Fault {
        /// The byte that is changed.
        var flip: Int?
        /// How many bytes there are before the connection is closed.
        var cut: Int?
        /// How many are sent at once.
        var pieceBytes = 256 << 10
    }

    private final class Counter: Sendable {
        let bytes = Mutex<UInt64>(0)
    }

    let endpoint: Endpoint
    /// What a connection begins with.
    let header: [UInt8]
    private let listener: Int32
    private let counter = Counter()

    /// Bytes that it sent so far.
    var sent: UInt64 { counter.bytes.withLock { $0 } }

    init(
        store: ReleaseStore, application: ApplicationID, fault: Fault = Fault(),
        limits: TransferLimits = TransferLimits()
    ) throws {
        let local = try #require(IPAddress("127.0.0.1"))
        listener = try openSocket(.v4, .stream)
        try #require(bindSocket(listener, to: Endpoint(address: local, port: 0)) && listen(listener, 16) == 0)
        endpoint = try #require(localEndpoint(of: listener))
        header = Array(
            VersionHeader(application: application, sender: nil, flags: .control).encoded().readableBytesView)
        let gate = FleetGate(key: nil, addresses: HostAddresses(local), applications: [], time: NodeTime()) { _ in false
        }
        let server = ReleaseServer(store: store, gate: gate, limits: limits, trust: [:])
        let (listener, headerBytes, counter) = (listener, header.count, counter)
        SystemThread(name: "counting-router") {
            while case let socket = accept(listener, nil, nil), socket >= 0 {
                var head = [UInt8](repeating: 0, count: headerBytes)
                recv(socket, &head, headerBytes, Int32(MSG_WAITALL))
                var pair: [Int32] = [0, 0]
                socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair)
                server.serve(pair[1], unread: [], application: application, from: local)
                let inside = pair[0]
                SystemThread(name: "counting-relay") {
                    Self.relay(socket, inside, fault, counter)
                    close(socket)
                    close(inside)
                }.start()
            }
            close(listener)
        }.start()
    }

    /// Ends the thread that accepts, which closes the socket.
    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    private static func relay(_ outside: Int32, _ inside: Int32, _ fault: Fault, _ counter: Counter) {
        var buffer = [UInt8](repeating: 0, count: max(4096, fault.pieceBytes))
        var sockets = [outside, inside].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var total = 0
        while poll(&sockets, 2, 60_000) > 0 {
            if sockets[0].revents != 0 {
                let count = recv(outside, &buffer, 4096, 0)
                if count > 0 {
                    send(inside, buffer, count, Int32(MSG_NOSIGNAL))
                } else {
                    shutdown(inside, Int32(SHUT_WR))
                    sockets[0].fd = -1
                }
            }
            guard sockets[1].revents != 0 else { continue }
            let count = recv(inside, &buffer, fault.pieceBytes, 0)
            guard count > 0 else { return }
            if let flip = fault.flip, (total..<(total + count)).contains(flip) { buffer[flip - total] ^= 1 }
            total += count
            counter.bytes.withLock { $0 += UInt64(count) }
            if let cut = fault.cut, total >= cut { return }
            guard send(outside, buffer, count, Int32(MSG_NOSIGNAL)) == count else { return }
        }
    }
}
