import CLinux
import Glibc
import NIOCore
import Synchronization
import VersionKitModel
import VersionKitProcesses
import VersionKitRouter
import VersionKitWire

/// The relay's thread: owns every connection, and nobody else touches them.
final class RelayLoop {
    private static let wakeToken = UInt64.max
    private static let transparentToken = UInt64.max - 1
    /// Tokens of listeners on registered ports: this, plus the port.
    private static let listenerTokens = UInt64.max - 1 - 0x1_0000

    private let relay: Relay
    let onEvent: @Sendable (Relay.Event) -> Void
    private let wake: Int32
    private let transparentListener: Int32
    private let epoll: Int32
    private var listeners: [UInt16: Int32] = [:]
    private var connections: [RelayedConnection?] = []
    private var freeSlots: [Int] = []
    /// Slots freed while a batch of events is handled: not used again before its end, as later events may name them.
    private var freedInBatch: [Int] = []
    private var count = 0
    private var opening: Set<Int> = []
    private var table = RoutingTable()
    var counters = RelayCounters()
    private var random = SystemRandomNumberGenerator()
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 64)

    init?(_ relay: Relay, listener: Int32, wake: Int32, onEvent: @escaping @Sendable (Relay.Event) -> Void) {
        self.relay = relay
        self.onEvent = onEvent
        self.wake = wake
        transparentListener = listener
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else {
            scratch.deallocate()
            return nil
        }
        watch(wake, Self.wakeToken, UInt32(EPOLLIN.rawValue))
        watch(listener, Self.transparentToken, UInt32(EPOLLIN.rawValue))
    }

    deinit { scratch.deallocate() }

    var limits: Limits { relay.configuration.limits }

    private var now: Duration {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    private func watch(_ descriptor: Int32, _ token: UInt64, _ events: UInt32) {
        var event = epoll_event(events: events, data: epoll_data(u64: token))
        epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)
    }

    // MARK: The loop

    func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 256)
        readTable()
        while true {
            let ready = epoll_wait(epoll, &events, Int32(events.count), opening.isEmpty ? -1 : 250)
            for event in events.prefix(Int(max(ready, 0))) { handle(event) }
            freeSlots += freedInBatch
            freedInBatch.removeAll(keepingCapacity: true)
            expire()
            let isStopped = relay.shared.withLock { shared in
                shared.counters = counters
                return shared.isStopped
            }
            if isStopped { break }
        }
        for slot in connections.indices where connections[slot] != nil { abort(slot) }
        for listener in listeners.values { close(listener) }
        close(transparentListener)
        close(epoll)
    }

    private func handle(_ event: epoll_event) {
        let token = event.data.u64
        switch token {
        case Self.wakeToken:
            var value: eventfd_t = 0
            eventfd_read(wake, &value)
            readTable()
        case Self.transparentToken: acceptOutbound()
        case Self.listenerTokens...: acceptInbound(UInt16(token - Self.listenerTokens))
        default:
            let slot = Int(token >> 1)
            guard connections[slot] != nil else { return }
            progress(slot, far: token & 1 == 1, event.events)
        }
    }

    /// Takes over a new routing table: listens on ports that are new, and no longer on those that are gone.
    private func readTable() {
        table = relay.shared.withLock { $0.table }
        for port in table.ports where listeners[port] == nil {
            let endpoint = Endpoint(address: relay.configuration.address, port: port)
            do throws(SystemError) {
                let listener = try Sockets.listen(on: endpoint, transparent: false)
                listeners[port] = listener
                watch(listener, Self.listenerTokens + UInt64(port), UInt32(EPOLLIN.rawValue))
            } catch {
                refuse("listen: \(error)", peer: endpoint)
            }
        }
        for (port, listener) in listeners where !table.ports.contains(port) {
            close(listener)
            listeners[port] = nil
        }
    }

    private func expire() {
        guard !opening.isEmpty else { return }
        let now = now
        for slot in opening {
            guard let connection = connections[slot], connection.deadline <= now else { continue }
            if case .identifying(let port) = connection.phase {
                // A server that speaks first, behind a peer without a router, never sends us anything.
                identified(slot, endOfHeader(connection, port: port, atEnd: true))
            } else {
                refuse("connect-timeout", peer: connection.peer)
                abort(slot)
            }
        }
    }

    // MARK: Connections that come

    private func acceptOutbound() {
        while let (socket, source) = Sockets.accept(transparentListener) {
            guard let sender = table.sender(at: source.address),
                let wanted = Sockets.localEndpoint(of: socket), count < limits.relayedConnectionsMax
            else {
                refuse(count < limits.relayedConnectionsMax ? "unknown-sender" : "too-many", peer: source)
                Sockets.reset(socket)
                continue
            }
            let header = table.header(of: sender.application, from: sender.version, using: &random)
            let connection = RelayedConnection(
                near: socket, phase: .connecting(greeting: header.encoded()), peer: wanted, isOutbound: true,
                deadline: now + limits.connectTimeout)
            connection.owner = sender
            let slot = insert(connection)
            open(slot, to: wanted, from: nil)
        }
    }

    private func acceptInbound(_ port: UInt16) {
        guard let listener = listeners[port] else { return }
        while let (socket, source) = Sockets.accept(listener) {
            guard count < limits.relayedConnectionsMax else {
                refuse("too-many", peer: source)
                Sockets.reset(socket)
                continue
            }
            let connection = RelayedConnection(
                near: socket, phase: .identifying(port: port), peer: source, isOutbound: false,
                deadline: now + limits.headerTimeout)
            connection.near.header = ByteBuffer()
            let slot = insert(connection)
            setInterest(slot, far: false, UInt32(EPOLLIN.rawValue))
        }
    }

    private func insert(_ connection: RelayedConnection) -> Int {
        count += 1
        let slot: Int
        if let free = freeSlots.popLast() {
            connections[free] = connection
            slot = free
        } else {
            connections.append(connection)
            slot = connections.count - 1
        }
        opening.insert(slot)
        return slot
    }

    private func open(_ slot: Int, to endpoint: Endpoint, from source: Endpoint?) {
        guard let connection = connections[slot] else { return }
        do throws(SystemError) {
            connection.far = RelayEnd(socket: try Sockets.connect(to: endpoint, from: source))
            setInterest(slot, far: true, UInt32(EPOLLOUT.rawValue))
        } catch {
            refuse("connect: \(String(cString: strerror(error.code)))", peer: connection.peer)
            abort(slot)
        }
    }

    // MARK: Connections that stand

    private func progress(_ slot: Int, far: Bool, _ events: UInt32) {
        guard let connection = connections[slot] else { return }
        switch connection.phase {
        case .identifying(let port): identify(slot, port: port)
        case .connecting(let greeting):
            if far {
                connected(slot, greeting: greeting)
            } else if events & UInt32(EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 {
                refuse("left-early", peer: connection.peer)
                abort(slot)
            }
        case .relaying:
            var isFine = true
            if events & UInt32(EPOLLERR.rawValue) != 0 {
                errno = Sockets.error(of: (far ? connection.far : connection.near)?.socket ?? -1)
                isFine = false
            } else {
                isFine = pump(connection, fromFar: far) && pump(connection, fromFar: !far)
            }
            settle(slot, isFine: isFine, hungUp: events & UInt32(EPOLLHUP.rawValue) != 0 ? far : nil)
        }
    }

    /// Reads an inbound connection's header.
    private func identify(_ slot: Int, port: UInt16) {
        guard let connection = connections[slot] else { return }
        let received = recv(connection.near.socket, scratch.baseAddress, limits.headerBytesMax, 0)
        if received < 0 {
            guard errno != EAGAIN else { return }
            refuse("left-early", peer: connection.peer)
            return abort(slot)
        }
        connection.near.header?.writeBytes(UnsafeRawBufferPointer(rebasing: scratch[..<received]))
        if let decision = endOfHeader(connection, port: port, atEnd: received == 0) {
            if received == 0 { connection.near.isFinished = true }
            identified(slot, decision)
        }
    }

    private func endOfHeader(_ connection: RelayedConnection, port: UInt16, atEnd: Bool) -> RoutingTable.Inbound? {
        let bytes = connection.near.header ?? ByteBuffer()
        let decoded =
            atEnd ? VersionHeader.decodeAtEnd(bytes, limits: limits) : VersionHeader.decode(bytes, limits: limits)
        guard decoded != .needMore else { return nil }
        if case .header(let header, let length) = decoded {
            connection.near.header?.moveReaderIndex(forwardBy: length)
            if !header.flags.contains(.control) { onEvent(.heard(header, from: connection.peer.address)) }
        }
        return table.inbound(decoded, on: port)
    }

    private func identified(_ slot: Int, _ decision: RoutingTable.Inbound?) {
        guard let connection = connections[slot], let decision else { return }
        let rest = connection.near.header ?? ByteBuffer()
        connection.near.header = nil
        switch decision {
        case .refuse(let refusal, let header):
            refuse(refusal.description, peer: connection.peer)
            if let header, refusal == .versionNotRunning {
                tellVersions(of: header.application, to: connection)
                leave(connection)
                close(connection.near.socket)
                forget(slot)
            } else {
                abort(slot)
            }
        case .control(let header):
            counters.control += 1
            let socket = connection.near.socket
            leave(connection)
            forget(slot)
            onEvent(.control(socket: socket, header, rest: rest, from: connection.peer.address))
        case .deliver(let application, let version, let endpoint, let header):
            if header == nil { counters.plain += 1 } else { counters.inbound += 1 }
            connection.owner = (application, version)
            setInterest(slot, far: false, 0)
            let greeting =
                header == nil ? ByteBuffer() : table.header(of: application, from: version, using: &random).encoded()
            connection.phase = .connecting(greeting: greeting)
            connection.deadline = now + limits.connectTimeout
            // What came behind the header goes to the application as soon as it is reached.
            open(slot, to: endpoint, from: connection.peer)
            connections[slot]?.far?.unsent = rest
        }
    }

    /// A peer that speaks as a version which does not run here at least hears which ones do (S 3.5).
    private func tellVersions(of application: ApplicationID, to connection: RelayedConnection) {
        guard let version = table.applications[application]?.advertised.max() else { return }
        let header = table.header(of: application, from: version, using: &random).encoded()
        _ = header.withUnsafeReadableBytes {
            send(connection.near.socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
    }

    private func connected(_ slot: Int, greeting: ByteBuffer) {
        guard let connection = connections[slot], let far = connection.far else { return }
        let code = Sockets.error(of: far.socket)
        guard code == 0 else {
            refuse("connect: \(String(cString: strerror(code)))", peer: connection.peer)
            return abort(slot)
        }
        opening.remove(slot)
        connection.phase = .relaying
        if connection.isOutbound {
            counters.outbound += 1
            connection.far?.unsent = greeting
            connection.far?.header = ByteBuffer()
        } else {
            if let owner = connection.owner, far.unsent.readableBytes > 0 { count(owner) }
            connection.near.unsent = greeting
        }
        let isFine = pump(connection, fromFar: false) && pump(connection, fromFar: true)
        settle(slot, isFine: isFine, hungUp: nil)
    }

    func count(_ owner: (application: ApplicationID, version: Version)) {
        counters.delivered[owner.application, default: [:]][owner.version, default: 0] += 1
    }

    /// Watches for what can happen next, or ends the connection if nothing can.
    private func settle(_ slot: Int, isFine: Bool, hungUp: Bool?) {
        guard let connection = connections[slot], let far = connection.far else { return }
        guard isFine else {
            // The system call that failed is the last one that was made.
            counters.refuse("broken: \(String(cString: strerror(errno)))")
            return abort(slot)
        }
        if connection.near.isShut, far.isShut {
            leave(connection)
            close(connection.near.socket)
            close(far.socket)
            return forget(slot)
        }
        setInterest(slot, far: false, interest(of: connection.near, other: far), hungUp: hungUp == false)
        setInterest(slot, far: true, interest(of: far, other: connection.near), hungUp: hungUp == true)
    }

    private func interest(of end: RelayEnd, other: RelayEnd) -> UInt32 {
        var events: UInt32 = 0
        if !end.isFinished, other.unsent.readableBytes == 0 { events |= UInt32(EPOLLIN.rawValue) }
        if end.unsent.readableBytes > 0 { events |= UInt32(EPOLLOUT.rawValue) }
        return events
    }

    private func setInterest(_ slot: Int, far: Bool, _ events: UInt32, hungUp: Bool = false) {
        guard let connection = connections[slot], let end = far ? connection.far : connection.near else { return }
        var interest: UInt32? = events
        // epoll reports a hang-up whether one asks or not: a socket that waits for nothing would spin.
        if hungUp, events == 0 { interest = nil }
        guard interest != end.interest else { return }
        var event = epoll_event(
            events: events, data: epoll_data(u64: UInt64(slot) << 1 | (far ? 1 : 0)))
        let operation =
            interest == nil ? EPOLL_CTL_DEL : end.interest == nil ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
        epoll_ctl(epoll, operation, end.socket, &event)
        if far { connection.far?.interest = interest } else { connection.near.interest = interest }
    }

    // MARK: The end

    func refuse(_ reason: String, peer: Endpoint) {
        counters.refuse(reason)
        onEvent(.refused(reason: reason, peer: peer))
    }

    /// Ends a connection so that both ends see that it broke.
    private func abort(_ slot: Int) {
        guard let connection = connections[slot] else { return }
        leave(connection)
        Sockets.reset(connection.near.socket)
        if let far = connection.far { Sockets.reset(far.socket) }
        forget(slot)
    }

    /// Takes a connection's sockets out of epoll, before they are closed or given away.
    ///
    /// Closing alone does not: another thread may be between fork and exec at this moment, and then its child holds the
    /// socket for a while. Epoll would go on reporting it, under a slot that belongs to another connection by then.
    private func leave(_ connection: RelayedConnection) {
        if connection.near.interest != nil { epoll_ctl(epoll, EPOLL_CTL_DEL, connection.near.socket, nil) }
        if let far = connection.far, far.interest != nil { epoll_ctl(epoll, EPOLL_CTL_DEL, far.socket, nil) }
    }

    private func forget(_ slot: Int) {
        connections[slot] = nil
        opening.remove(slot)
        freedInBatch.append(slot)
        count -= 1
    }
}
