import CLinux
import Glibc
import NIOCore
import Synchronization
import VersionKitModel
import VersionKitProcesses
import VersionKitRouter
import VersionKitWire

/// One thread of the relay: owns its connections, and nobody else touches them.
///
/// This file is the loop itself; what it does with a connection is in the extensions, in the order of its life: Listening,
/// Inbound or Outbound (with Pool), Bytes (with Splice), Closing.
final class RelayLoop {
    static let wakeToken = UInt64.max
    /// Tokens of listening sockets: this, plus the descriptor.
    static let listenerTokens: UInt64 = 1 << 63
    /// Connections accepted in a row before those that stand get their turn.
    static let acceptsMax = 64
    /// What one read takes.
    static let readBytesMax = 64 << 10

    let relay: Relay
    let number: Int
    let wake: Int32
    let epoll: Int32
    let limits: Limits
    /// Listening sockets, and where they listen. Those for intercepted connections listen at no address of their own.
    var listeners: [Int32: Endpoint]
    /// When to try again to listen on ports that were taken.
    var listenAgainAt: Duration?

    var connections: [RelayedConnection?] = []
    var freeSlots: [Int] = []
    /// Slots freed while a batch of events is handled: not used again before its end, as later events may name them.
    var freedInBatch: [Int] = []
    var serial: UInt64 = 0
    /// Connections in ``connections``, but for those in ``pools``.
    var count = 0

    var table = RoutingTable()
    /// Which of all tables that is.
    var generation = 0
    var ending = Relay.Ending.none
    var random = SystemRandomNumberGenerator()
    var waiting: Waiting
    var pools: ConnectionPools
    var poolsCheckedAt: Duration = .zero
    var plainPeers: PlainPeers
    var news = HeaderNews()
    /// What another relay left to this loop.
    private var taken: RelayLoopSeed?
    private var pace = BusyPollPace()
    /// How much happened in the last turn.
    private var turnEvents = 0
    var pipes: SplicePipes

    /// Room for one read, with room for a header in front.
    let scratch: UnsafeMutableRawBufferPointer
    /// Where reads go.
    let readArea: UnsafeMutableRawBufferPointer

    /// Those who wait for something, by what they wait for.
    struct Waiting {
        var identifying: WaitingRoom
        var connecting: WaitingRoom
        var probing: WaitingRoom
        /// Peers to whom a header is due that may travel with an answer.
        var greeting: WaitingRoom

        init(_ limits: Limits) {
            identifying = WaitingRoom(patience: limits.headerTimeout)
            connecting = WaitingRoom(patience: limits.connectTimeout)
            probing = WaitingRoom(patience: limits.probeTimeout)
            greeting = WaitingRoom(patience: limits.greetingDelay)
        }
    }

    init(_ relay: Relay, _ seed: RelayLoopSeed) {
        self.relay = relay
        limits = relay.configuration.limits
        number = seed.number
        wake = seed.wake
        epoll = seed.epoll
        listeners = seed.listeners
        waiting = Waiting(limits)
        pools = ConnectionPools(limits: limits)
        plainPeers = PlainPeers(limits: limits)
        taken = seed.resumes ? seed : nil
        pipes = SplicePipes(countMax: limits.splicePipesMax)
        scratch = .allocate(byteCount: limits.headerBytesMax + Self.readBytesMax, alignment: 64)
        readArea = UnsafeMutableRawBufferPointer(rebasing: scratch[limits.headerBytesMax...])
        watch(wake, Self.wakeToken, Epoll.input)
        for listener in listeners.keys { watch(listener) }
    }

    deinit { scratch.deallocate() }

    var now: Duration {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    func watch(_ descriptor: Int32, _ token: UInt64, _ events: UInt32) {
        var event = epoll_event(events: events, data: epoll_data(u64: token))
        epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)
    }

    func watch(_ listener: Int32) { watch(listener, Self.listenerTokens + UInt64(listener), Epoll.input) }

    /// Runs until the relay ends.
    func run() {
        // splice(2) has no MSG_NOSIGNAL: a peer that left must not end the process.
        var broken = sigset_t()
        sigemptyset(&broken)
        sigaddset(&broken, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &broken, nil)
        var events = [epoll_event](repeating: epoll_event(), count: 256)
        begin()
        while ending == .none {
            let ready = look(&events) ?? epoll_wait(epoll, &events, Int32(events.count), patience())
            turnEvents = Int(max(ready, 0))
            for event in events.prefix(Int(max(ready, 0))) {
                if event.data.u64 == Self.wakeToken { woken() } else { handle(event) }
            }
            freeSlots += freedInBatch
            freedInBatch.removeAll(keepingCapacity: true)
            expire()
        }
        let handover = ending == .handedOver ? leaveAll() : nil
        for slot in connections.indices { abort(slot) }
        pipes.closeAll()
        for listener in listeners.keys { close(listener) }
        close(epoll)
        relay.ended(leaving: handover)
    }

    private func begin() {
        readTable()
        // What was taken over is not for an empty table to judge.
        while taken != nil, generation == 0, ending == .none {
            var events = pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
            poll(&events, 1, -1)
            woken()
        }
        guard let taken else { return }
        plainPeers.adopt(taken.plainPeers, at: now)
        resume(taken.connections)
        self.taken = nil
    }

    /// What comes within a moment, without sleeping: to sleep and be woken takes longer than most peers take to answer.
    /// Whoever else wants the processor has it between two looks.
    ///
    /// - Returns: `nil` if nothing came, or if a look is not worth while.
    private func look(_ events: inout [epoll_event]) -> Int32? {
        guard limits.busyPollTime > .zero, turnEvents > 0, count <= limits.relayBusyPollConnectionsMax,
            pace.turnEnded(events: turnEvents) == .look
        else { return nil }
        let end = now + limits.busyPollTime
        repeat {
            let ready = epoll_wait(epoll, &events, Int32(events.count), 0)
            if ready != 0 {
                pace.looked(found: true)
                return ready
            }
            sched_yield()
        } while now < end
        pace.looked(found: false)
        return nil
    }

    /// How long to wait for events, in milliseconds, rounded up; -1: for ever.
    private func patience() -> Int32 {
        var next = pools.checkInterval.map { poolsCheckedAt + $0 }
        for deadline in [
            waiting.identifying.deadline, waiting.connecting.deadline, waiting.probing.deadline,
            waiting.greeting.deadline, listenAgainAt,
        ] {
            if let deadline { next = min(next ?? deadline, deadline) }
        }
        guard let next else { return -1 }
        let left = max(.zero, next - now) / .milliseconds(1)
        return Int32(left.rounded(.up))
    }

    private func woken() {
        var value: eventfd_t = 0
        eventfd_read(wake, &value)
        readTable()
    }

    private func handle(_ event: epoll_event) {
        let token = event.data.u64
        switch token {
        case Self.listenerTokens...: accept(from: Int32(token - Self.listenerTokens))
        default:
            guard let connection = connections[Int(token >> 1)] else { return }
            progress(connection, far: token & 1 == 1, event.events)
        }
    }

    private func progress(_ connection: RelayedConnection, far: Bool, _ events: UInt32) {
        switch connection.phase {
        case .pooling: poolConnected(connection)
        case .pooled: poolEnded(connection)
        case .identifying(let port): identify(connection, port: port)
        case .connecting, .probing:
            if far {
                if connection.phase == .probing { probed(connection, isLast: false) } else { connected(connection) }
            } else if events & (Epoll.failure | Epoll.hangUp) != 0 {
                refuse("left-early", connection)
                abort(connection.slot)
            }
        case .relaying: relay(connection, far: far, events)
        }
    }

    private func expire() {
        let now = now
        for id in waiting.identifying.expired(at: now) {
            guard let connection = connection(id), case .identifying(let port) = connection.phase else { continue }
            // A server that speaks first, behind a peer without a router, never sends us anything.
            decide(connection, port: port, isLast: true)
        }
        for id in waiting.connecting.expired(at: now) {
            guard let connection = connection(id) else { continue }
            if connection.phase == .pooling {
                poolEnded(connection)
            } else {
                refuse("connect-timeout", connection)
                abort(connection.slot)
            }
        }
        for id in waiting.probing.expired(at: now) {
            guard let connection = connection(id) else { continue }
            probed(connection, isLast: true)
        }
        for id in waiting.greeting.expired(at: now) {
            guard let connection = connection(id) else { continue }
            settle(connection, isFine: sendPrefix(to: connection.near), hungUp: nil)
        }
        if let listenAgainAt, listenAgainAt <= now { readTable() }
        if let interval = pools.checkInterval, poolsCheckedAt + interval <= now {
            poolsCheckedAt = now
            perform(pools.check(at: now))
        }
    }

    /// The connection of this number, if it is still there.
    private func connection(_ id: UInt64) -> RelayedConnection? {
        guard let connection = connections[Int(id & 0xFFFF_FFFF)], connection.id == id else { return nil }
        return connection
    }
}

/// The events of epoll(7), as it counts them.
enum Epoll {
    static let input = UInt32(EPOLLIN.rawValue)
    static let output = UInt32(EPOLLOUT.rawValue)
    static let failure = UInt32(EPOLLERR.rawValue)
    static let hangUp = UInt32(EPOLLHUP.rawValue)
}
