import CLinux
import Glibc
package import NIOCore
import NIOPosix
import Synchronization
package import VersionKitModel
package import VersionKitProxy

/// The engine of an application proxy: owns sockets, buffers, limits and time-outs, and carries out what
/// ``ProxyCallbacks`` record.
///
/// One callbacks value per client connection, on the event loop of that connection. Thread-safe.
///
/// - Note: R10-R12; DESIGN 5.
package final class ProxyServer: Sendable {
    private let group: any EventLoopGroup
    private let limits: Limits
    private let clientVersion: Version?
    private let makeCallbacks: @Sendable () -> AnyProxyCallbacks
    private let now: @Sendable () -> Int64
    private let security: (any ClientSecurity)?
    private let state = Mutex(State())
    let catchUp: CatchUp
    let loops: ProxyLoops
    /// The order of writes, and what versions miss.
    let writes: WriteCoordinator
    /// Whether connections go to a successor; read on every request, so apart from the rest.
    private let leaving = Atomic(false)

    struct State {
        var table = VersionTable()
        var counters = ProxyCounters()
        var acceptors: [SocketIdentity: Acceptor] = [:]
        var datagramChannels: [SocketIdentity: any Channel] = [:]
        /// Open client connections, to be told of changes.
        var clients: [ObjectIdentifier: ClientReference] = [:]
        /// Connections that are being taken over and not among the clients yet.
        var adoptions: [UInt64: EventLoopFuture<any Channel>] = [:]
        var lastAdoption: UInt64 = 0
        /// Called when something is counted next.
        var onCount: (@Sendable () -> Void)?
        /// Called when the last client has left.
        var onEmpty: (@Sendable () -> Void)?
        /// Where connections go while a newer proxy takes over; `nil`: they stay.
        var successor: (@Sendable (Int32, ClientRemainder) -> Bool)?
    }

    /// A server without clients.
    ///
    /// - Parameters:
    ///   - group: the event loops that its connections live on.
    ///   - limits: its bounds.
    ///   - clientVersion: the version whose client protocol the listener speaks, if its bytes need not tell.
    ///   - access: how missed writes and keys are brought to versions; `nil` where the callbacks never ask for it.
    ///   - state: the directory in which what versions miss outlives the process; `nil`: it does not.
    ///   - security: what protects clients' connections, if anything.
    ///   - now: milliseconds since 1970.
    ///   - makeCallbacks: makes the callbacks of one client connection.
    init(
        group: any EventLoopGroup, limits: Limits, clientVersion: Version?, access: (any VersionAccess)?,
        state directory: String? = nil,
        security: (any ClientSecurity)? = nil, now: @escaping @Sendable () -> Int64,
        makeCallbacks: @escaping @Sendable () -> AnyProxyCallbacks
    ) {
        self.security = security
        self.group = group
        self.limits = limits
        self.clientVersion = clientVersion
        self.now = now
        self.makeCallbacks = makeCallbacks
        loops = ProxyLoops(group, limits)
        catchUp = CatchUp(
            access: access ?? NoAccess(), limits: limits,
            store: directory.map { CatchUpStore(directory: $0, limits: limits) })
        writes = catchUp.writes
    }

    /// A server without clients, at the papers' height: nothing is caught up.
    package convenience init(
        group: any EventLoopGroup, limits: Limits = .standard, clientVersion: Version? = nil,
        now: @escaping @Sendable () -> Int64 = WallClock.milliseconds,
        makeCallbacks: @escaping @Sendable () -> AnyProxyCallbacks
    ) {
        self.init(
            group: group, limits: limits, clientVersion: clientVersion, access: nil, now: now,
            makeCallbacks: makeCallbacks)
    }

    deinit { catchUp.stop() }

    /// What was done so far.
    package var counters: ProxyCounters {
        state.withLock { state in
            var counters = state.counters
            counters.connections = UInt64(state.clients.count)
            counters.writes = writes.numbers
            return counters
        }
    }

    /// Serves clients on a listening stream socket, or on a bound datagram socket, which is the server's from here on.
    /// Returns at once.
    ///
    /// - Parameter versionPort: the port of the versions that its clients' requests go to; `nil`: that of the table.
    package func listen(descriptor: Int32, versionPort: UInt16? = nil) {
        let identity = SocketIdentity(descriptor)
        if SocketKind.isDatagram(descriptor) { return serveDatagrams(descriptor, versionPort, identity) }
        let acceptor = Acceptor(listener: descriptor) { [weak self] socket in
            guard let self else {
                Glibc.close(socket)
                return
            }
            adopt(socket, ClientRemainder(versionPort: versionPort))
        }
        state.withLock { $0.acceptors[identity] = acceptor }
        acceptor.start()
    }

    /// Serves no new clients on a socket, of which this is another descriptor, the server's from here on. The port is
    /// closed when whoever else has the socket closes it, too.
    package func close(descriptor: Int32) {
        let identity = SocketIdentity(descriptor)
        let (acceptor, channel) = state.withLock { state in
            (state.acceptors.removeValue(forKey: identity), state.datagramChannels.removeValue(forKey: identity))
        }
        acceptor?.stop()
        channel?.close(promise: nil)
        Glibc.close(descriptor)
    }

    private func serveDatagrams(_ descriptor: Int32, _ versionPort: UInt16?, _ identity: SocketIdentity) {
        let channel = DatagramBootstrap(group: group.next())
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramClients(self, versionPort))
                }
            }
            .withBoundSocket(descriptor)
        channel.whenComplete { result in
            switch result {
            case .success(let channel): self.state.withLock { $0.datagramChannels[identity] = channel }
            // Nobody is served there, and operators see it.
            case .failure: self.count { $0.refused += 1 }
            }
        }
    }

    /// Takes a client's connection over, with bytes that were read from it and not used yet.
    package func adopt(_ socket: Int32, _ rest: ClientRemainder) {
        guard state.withLock({ $0.clients.count < limits.clientConnectionsMax }) else {
            state.withLock { $0.counters.refused += 1 }
            Glibc.close(socket)
            return
        }
        // The descriptor is NIO's from here on, and good as long as its channel is open. What is encrypted cannot move, and ends here.
        let movable = security == nil ? socket : -1
        let adoption = ClientBootstrap(group: group.next())
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try self.security?.secure(channel)
                    let session = ClientSession(
                        server: self, callbacks: self.makeCallbacks(), loop: channel.eventLoop, socket: movable,
                        rest: rest)
                    try channel.pipeline.syncOperations.addHandler(StreamClient(session))
                }
            }
            .withConnectedSocket(socket)
        let number = state.withLock { state in
            state.lastAdoption += 1
            state.adoptions[state.lastAdoption] = adoption
            return state.lastAdoption
        }
        adoption.whenComplete { result in
            self.state.withLock { _ = $0.adoptions.removeValue(forKey: number) }
            guard case .failure = result else { return }
            // The client was gone before we had it.
            self.count { $0.refused += 1 }
        }
    }

    /// Routes by this table from the next request on.
    ///
    /// Returns once no request is under way any more that went by an older one, so that a version which is not listed
    /// can be stopped.
    package func update(_ table: VersionTable) async {
        // The promises are only ever kept.
        for applied in await announce(table) { try? await applied.get() }
        writes.holdIfSettling()
        await leave(table.versions.logged)
    }

    /// Closes what is open to versions that do not run any more: what they owed was answered.
    private func leave(_ logged: [Version]) async {
        guard !logged.isEmpty else { return }
        for loop in group.makeIterator() {
            try? await loop.submit { [loops] in loops[loop].leave(logged) }.get()
        }
    }

    /// As ``update(_:)``, but returns as soon as new requests go by this table; what is returned is kept when those under
    /// way are done.
    package func announce(_ wanted: VersionTable) async -> [EventLoopFuture<Void>] {
        let isLogging = catchUp.access.replays && !catchUp.access.copiesKeys
        let table = isLogging ? wanted : wanted.withoutLogs
        writes.prepare(
            settling: wanted.versions.first { wanted.versions.role(of: $0) == .settling },
            unloggable: catchUp.access.replays ? [] : wanted.versions.logged)
        let settled = group.next().makePromise(of: Void.self)
        await catchUp.update(table, settled: settled.futureResult)
        let clients = state.withLock { state in
            state.table = table
            return Array(state.clients.values)
        }
        let applied = clients.map { $0.apply(table) }
        EventLoopFuture.andAllComplete(applied, on: settled.futureResult.eventLoop).cascade(to: settled)
        // What was submitted to a loop before this has run after it.
        for loop in group.makeIterator() { try? await loop.submit {}.get() }
        // They go by the new list already.
        writes.unholdUnlessSettling()
        return applied
    }

    /// Accepts nobody any more, and gives every connection to `successor` between two requests.
    ///
    /// - Parameter successor: gets a descriptor, which it must not keep, and what goes with it; `false` if it could not
    ///   take them: then the connection is closed.
    package func handOver(to successor: @escaping @Sendable (Int32, ClientRemainder) -> Bool) async {
        let (acceptors, channels) = state.withLock { state in
            state.successor = successor
            leaving.store(true, ordering: .relaxed)
            defer { (state.acceptors, state.datagramChannels) = ([:], [:]) }
            return (Array(state.acceptors.values), Array(state.datagramChannels.values))
        }
        for acceptor in acceptors { await acceptor.stopped() }
        // Other sockets on the same port stay open; what is under way here is still answered.
        for channel in channels { try? await channel.setOption(.autoRead, value: false).get() }
        // Those that were accepted last are not among the clients yet. A failed adoption left nobody to hand over.
        for adoption in state.withLock({ Array($0.adoptions.values) }) { _ = try? await adoption.get() }
        let clients = state.withLock { Array($0.clients.values) }
        for client in clients { client.move() }
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                guard !state.clients.isEmpty else { return true }
                state.onEmpty = { continuation.resume() }
                return false
            }
            if isEmpty { continuation.resume() }
        }
        await catchUp.handOver()
    }

    // MARK: For the connections

    var table: VersionTable { state.withLock { $0.table } }
    var bounds: Limits { limits }
    var speaker: Version? { clientVersion }
    var isLeaving: Bool { leaving.load(ordering: .relaxed) }
    var milliseconds: Int64 { now() }
    var successor: (@Sendable (Int32, ClientRemainder) -> Bool)? { state.withLock { $0.successor } }

    func newCallbacks() -> AnyProxyCallbacks { makeCallbacks() }

    func count(_ change: (inout ProxyCounters) -> Void) {
        let tell = state.withLock { state in
            change(&state.counters)
            return state.onCount.take()
        }
        tell?()
    }

    /// Calls back once, when something is counted next.
    func whenCounting(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.onCount = body } }

    func register(_ client: ClientReference) { state.withLock { $0.clients[client.id] = client } }

    func unregister(_ id: ObjectIdentifier) {
        let onEmpty = state.withLock { state -> (@Sendable () -> Void)? in
            state.clients.removeValue(forKey: id)
            guard state.clients.isEmpty else { return nil }
            defer { state.onEmpty = nil }
            return state.onEmpty
        }
        onEmpty?()
    }
}

extension ProxyServer {
    /// A server without clients that goes by an adapter.
    package convenience init<Adapter: MessageAdapter>(
        _ adapter: Adapter, group: any EventLoopGroup, limits: Limits = .standard, clientVersion: Version? = nil,
        state directory: String? = nil, security: (any ClientSecurity)? = nil,
        now: @escaping @Sendable () -> Int64 = WallClock.milliseconds
    ) {
        let service = ProxyService(adapter, limits: limits)
        self.init(
            group: group, limits: limits, clientVersion: clientVersion, access: service.makeAccess(group),
            state: directory, security: security, now: now, makeCallbacks: service.makeCallbacks)
    }
}

/// The time of day.
package enum WallClock {
    /// Milliseconds since 1970.
    @Sendable package static func milliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// Which socket a descriptor is of: the same for all descriptors of one socket, whichever processes have them.
struct SocketIdentity: Hashable, Sendable {
    private let device: dev_t
    private let number: ino_t

    /// A descriptor that is not open has the identity of no socket.
    init(_ descriptor: Int32) {
        var found = stat()
        fstat(descriptor, &found)
        (device, number) = (found.st_dev, found.st_ino)
    }
}

/// What a descriptor is.
private enum SocketKind {
    static func isDatagram(_ descriptor: Int32) -> Bool {
        var kind: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &kind, &length) == 0 && kind == Int32(SOCK_DGRAM.rawValue)
    }
}
