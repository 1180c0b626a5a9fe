import CLinux
import Glibc
import Synchronization
import VersionKitModel
import VersionKitProcesses
import VersionKitRouter
import VersionKitSockets

/// The datagram relay's thread: owns every socket and conversation, and nobody else touches them.
final class DatagramLoop {
    private static let wakeToken: UInt64 = 0
    /// How many calls' worth of datagrams one socket may bring before the others have their turn.
    private static let batchesMax = 4

    let relay: DatagramRelay
    let limits: Limits
    let addresses: HostAddresses
    /// For error messages.
    let raw: [IPAddress.Family: PacketSocket]
    private let epoll: Int32
    private(set) var sockets: [UInt64: DatagramSocket] = [:]
    private var nextToken = DatagramLoop.wakeToken + 1
    var ports: [RegisteredPort: DatagramSocket] = [:]
    private var pace = BusyPollPace()
    /// How many datagrams came in the last turn. With many, more are there already when the loop asks again, and to look for
    /// the next one without sleeping would only bring them one by one.
    private var turnDatagrams = 0
    var peers: [Endpoint: DatagramSocket] = [:]
    var table = RoutingTable()
    /// Whose the addresses of the environments are.
    var owners: [IPAddress: (application: ApplicationID, version: Version)] = [:]
    var sessions: DatagramSessions
    var offers: OffersByRoute
    let incoming = IncomingDatagrams()
    let outgoing = OutgoingDatagrams()
    /// Counted since the counters were published.
    var fresh = DatagramCounters()
    private var touched: [DatagramSession] = []
    /// Error messages, and reports of what peers' headers say: a flood of the ones must not keep the others back.
    var notices: RateLimit
    var reports: RateLimit
    var random = SystemRandomNumberGenerator()
    /// When the events at hand came.
    var now: Duration = .zero
    /// What the kernel said last about a path that is too narrow.
    var pathBytesMax: UInt32 = 0
    /// What another relay left, until there is a table to go on with.
    var resumed: DatagramRelay.Handover?
    /// The conversations that the last datagrams belonged to: often those of the next.
    var lastOutbound: DatagramSession?
    var lastInbound: DatagramSession?

    init(_ relay: DatagramRelay) throws(SystemError) {
        self.relay = relay
        limits = relay.configuration.limits
        addresses = relay.configuration.addresses
        sessions = DatagramSessions(limits: limits)
        offers = OffersByRoute(limits: limits)
        notices = RateLimit(perSecond: limits.datagramNoticesPerSecond)
        reports = RateLimit(perSecond: limits.datagramNoticesPerSecond)
        var raw: [IPAddress.Family: PacketSocket] = [:]
        for family in addresses.families { raw[family] = try PacketSocket(family) }
        self.raw = raw
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw SystemError("epoll") }
        var event = epoll_event(events: UInt32(EPOLLIN.rawValue), data: epoll_data(u64: Self.wakeToken))
        epoll_ctl(epoll, EPOLL_CTL_ADD, relay.wake, &event)
    }

    deinit { close(epoll) }

    /// Returns when the relay is stopped.
    func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 256)
        now = Self.clock
        guard waitForTable(&events) else { return }
        if let handover = resumed {
            resumed = nil
            resume(handover)
        }
        readTable()
        while true {
            let ready =
                look(&events) ?? epoll_wait(epoll, &events, Int32(events.count), sessions.count > 0 ? 1000 : -1)
            turnDatagrams = 0
            now = Self.clock
            for index in 0..<Int(max(ready, 0)) { handle(events[index]) }
            while let session = sessions.expired(at: now) { end(session) }
            guard publish() else { return }
        }
    }

    /// Without a table nothing can be said of the conversations of another relay: they stay as they are.
    ///
    /// - Returns: false if the relay is stopped before there is one.
    private func waitForTable(_ events: inout [epoll_event]) -> Bool {
        while true {
            let (isStopped, hasTable) = relay.shared.withLock { shared in
                resumed = resumed ?? shared.resuming
                shared.resuming = nil
                return (shared.isStopped, shared.hasTable)
            }
            if isStopped { return false }
            if hasTable || resumed == nil { return true }
            _ = epoll_wait(epoll, &events, 1, -1)
            var value: eventfd_t = 0
            eventfd_read(relay.wake, &value)
        }
    }

    /// What comes within a moment, without sleeping, as ``RelayLoop`` does it.
    ///
    /// - Returns: `nil` if nothing came, or if a look is not worth while.
    private func look(_ events: inout [epoll_event]) -> Int32? {
        guard limits.busyPollTime > .zero, turnDatagrams > 0, sessions.count <= limits.relayBusyPollConnectionsMax,
            pace.turnEnded(events: turnDatagrams) == .look
        else { return nil }
        let end = Self.clock + limits.busyPollTime
        repeat {
            let ready = epoll_wait(epoll, &events, Int32(events.count), 0)
            if ready != 0 {
                pace.looked(found: true)
                return ready
            }
            sched_yield()
        } while Self.clock < end
        pace.looked(found: false)
        return nil
    }

    private static var clock: Duration {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    private func handle(_ event: epoll_event) {
        guard event.data.u64 != Self.wakeToken else {
            var value: eventfd_t = 0
            eventfd_read(relay.wake, &value)
            return readTable()
        }
        // Gone since, with its conversation.
        guard let socket = sockets[event.data.u64] else { return }
        if event.events & UInt32(EPOLLERR.rawValue) != 0 { drainErrors(of: socket) }
        guard event.events & UInt32(EPOLLIN.rawValue) != 0 else { return }
        for _ in 0..<Self.batchesMax {
            let count = incoming.receive(from: socket)
            turnDatagrams += count
            for index in 0..<count { route(incoming.datagrams[index], from: socket) }
            flush()
            if count < IncomingDatagrams.countMax { break }
        }
    }

    private func route(_ datagram: vk_datagram, from socket: DatagramSocket) {
        if datagram.overflow != 0 {
            fresh.drop("socket-full", UInt64(datagram.overflow &- socket.overflow))
            socket.overflow = datagram.overflow
        }
        switch socket.role {
        case .port(let port):
            if let owner = owners[IPAddress(datagram.remote.address)] {
                leaveByPort(datagram, port: port, owner: owner)
            } else {
                arrive(datagram, port: port)
            }
        case .peer(let peer): answer(datagram, to: peer)
        case .departure(let key): arriveForDeparture(datagram, key: key)
        }
    }

    /// Makes known what was counted. False: the relay is stopped.
    private func publish() -> Bool {
        relay.shared.withLock { shared in
            for session in touched {
                shared.counters.add(
                    session.uncounted,
                    of: .init(
                        application: session.owner.application, version: session.owner.version,
                        peer: session.key.peer))
                session.uncounted = .init()
                session.isTouched = false
            }
            shared.counters.take(&fresh)
            shared.counters.sessions = sessions.count
            touched.removeAll(keepingCapacity: true)
            return !shared.isStopped
        }
    }

    /// Notes that a conversation was used.
    func touch(_ session: DatagramSession) {
        sessions.touch(session, at: now)
        guard !session.isTouched else { return }
        session.isTouched = true
        touched.append(session)
    }

    // MARK: Sockets and tables

    func watch(_ socket: DatagramSocket) {
        socket.token = nextToken
        nextToken += 1
        sockets[socket.token] = socket
        var event = epoll_event(events: UInt32(EPOLLIN.rawValue), data: epoll_data(u64: socket.token))
        epoll_ctl(epoll, EPOLL_CTL_ADD, socket.descriptor, &event)
    }

    /// Before it is closed: a process that is just being started may hold it a little longer.
    func unwatch(_ socket: DatagramSocket) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, socket.descriptor, nil)
        sockets[socket.token] = nil
    }

    /// Sockets that conversations have to themselves.
    var sessionSockets: Int { sockets.count - ports.count }

    /// Takes over a new routing table, with what follows from it for ports and conversations.
    private func readTable() {
        // Whoever waits from now on waits for another table.
        let waiting: [@Sendable () -> Void]
        (table, waiting) = relay.shared.withLock { shared in
            defer { shared.waiting = [] }
            return (shared.table, shared.waiting)
        }
        owners = [:]
        for (application, known) in table.applications {
            for (version, addresses) in known.versions {
                for address in addresses.all { owners[address] = (application, version) }
            }
        }
        let numbers = Set(table.ports.lazy.filter { $0.transport == .udp }.map(\.number))
        let wanted = Set(
            numbers.flatMap { number in addresses.families.map { RegisteredPort(number: number, family: $0) } })
        for (port, socket) in ports where !wanted.contains(port) {
            unwatch(socket)
            ports[port] = nil
        }
        for port in wanted where ports[port] == nil {
            do throws(SystemError) {
                let socket = try DatagramSocket.port(port)
                ports[port] = socket
                watch(socket)
            } catch {
                relay.onEvent(.failed(port: port.number, error))
            }
        }
        for session in sessions.all { revise(session) }
        let failed = Set(wanted.subtracting(ports.keys).map(\.number))
        relay.onEvent(.ready(ports: numbers.subtracting(failed)))
        for tell in waiting { tell() }
    }

    private func socket(of port: UInt16, _ session: DatagramSession) -> DatagramSocket? {
        ports[.init(number: port, family: session.key.peer.family)]
    }

    /// A conversation under a new table goes on if it still has its version, its port and its sockets.
    private func revise(_ session: DatagramSession) {
        let owner = owners[session.key.version]
        guard let owner, owner.application == session.owner.application, owner.version == session.owner.version,
            table.applications[owner.application]?.ports.contains(.udp(session.port)) == true,
            session.router === socket(of: session.port, session), session.router != nil,
            session.delivery?.isShared == (socket(of: session.key.peerPort, session) != nil),
            session.departure == nil
                || session.departure?.isShared == (socket(of: session.key.versionPort, session) != nil)
        else { return end(session) }
        sessions.unbind(session)
        session.headerUntil = .zero
    }
}
