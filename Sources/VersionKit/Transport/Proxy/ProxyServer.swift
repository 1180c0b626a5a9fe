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
package final class ProxyServer<Callbacks: ProxyCallbacks>: Sendable {
    private let group: any EventLoopGroup
    private let limits: Limits
    private let clientVersion: Version?
    private let makeCallbacks: @Sendable () -> Callbacks
    private let state = Mutex(State())

    struct State {
        var table = VersionTable()
        var counters = ProxyCounters()
        var acceptor: Acceptor?
        /// Open client connections, to be told of changes.
        var clients: [ObjectIdentifier: ClientReference<Callbacks>] = [:]
        /// Connections that are being taken over and not among the clients yet.
        var adoptions: [UInt64: EventLoopFuture<any Channel>] = [:]
        var lastAdoption: UInt64 = 0
        /// Where connections go while a newer proxy takes over; `nil`: they stay.
        var successor: (@Sendable (Int32, [UInt8]) -> Bool)?
    }

    /// A server without clients.
    ///
    /// - Parameters:
    ///   - group: the event loops that its connections live on.
    ///   - limits: its bounds.
    ///   - clientVersion: the version whose client protocol the listener speaks, if its bytes need not tell.
    ///   - makeCallbacks: makes the callbacks of one client connection.
    package init(
        group: any EventLoopGroup,
        limits: Limits = .standard,
        clientVersion: Version? = nil,
        makeCallbacks: @escaping @Sendable () -> Callbacks
    ) {
        self.group = group
        self.limits = limits
        self.clientVersion = clientVersion
        self.makeCallbacks = makeCallbacks
    }

    /// What was done so far.
    package var counters: ProxyCounters {
        state.withLock { state in
            var counters = state.counters
            counters.connections = UInt64(state.clients.count)
            return counters
        }
    }

    /// Accepts clients on a listening socket, which is the server's from here on. Returns at once.
    package func listen(descriptor: Int32) {
        let acceptor = Acceptor(listener: descriptor) { [weak self] socket in
            guard let self else {
                close(socket)
                return
            }
            adopt(socket, unread: [])
        }
        let old = state.withLock { state in
            defer { state.acceptor = acceptor }
            return state.acceptor
        }
        old?.stop()
        acceptor.start()
    }

    /// Takes a client's connection over, with bytes that were read from it and not used yet.
    package func adopt(_ socket: Int32, unread: [UInt8]) {
        guard state.withLock({ $0.clients.count < limits.clientConnectionsMax }) else {
            state.withLock { $0.counters.refused += 1 }
            close(socket)
            return
        }
        // NIO does not give a descriptor back, so a second one is kept for the day when the connection moves on.
        let spare = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        let adoption = ClientBootstrap(group: group.next())
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let client = ClientConnection(
                        server: self, callbacks: self.makeCallbacks(), socket: spare, unread: unread)
                    try channel.pipeline.syncOperations.addHandler(client)
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
            if spare >= 0 { close(spare) }
            self.count { $0.refused += 1 }
        }
    }

    /// Routes by this table from the next request on.
    ///
    /// Returns once no request is under way any more that went by an older one, so that a version which is not listed
    /// can be stopped.
    package func update(_ table: VersionTable) async {
        let clients = state.withLock { state in
            state.table = table
            return Array(state.clients.values)
        }
        for client in clients { await client.apply(table) }
    }

    /// Accepts nobody any more, and gives every connection to `successor` between two requests.
    ///
    /// - Parameter successor: gets a descriptor, which it must not keep, and unread bytes; `false` if it could not
    ///   take them: then the connection is closed.
    package func handOver(to successor: @escaping @Sendable (Int32, [UInt8]) -> Bool) async {
        let acceptor = state.withLock { state in
            state.successor = successor
            defer { state.acceptor = nil }
            return state.acceptor
        }
        await acceptor?.stopped()
        // Those that were accepted last are not among the clients yet. A failed adoption left nobody to hand over.
        for adoption in state.withLock({ Array($0.adoptions.values) }) { _ = try? await adoption.get() }
        let clients = state.withLock { Array($0.clients.values) }
        for client in clients { client.move() }
        for client in clients { await client.closed() }
    }

    // MARK: For the connections

    var table: VersionTable { state.withLock { $0.table } }
    var bounds: Limits { limits }
    var speaker: Version? { clientVersion }
    var successor: (@Sendable (Int32, [UInt8]) -> Bool)? { state.withLock { $0.successor } }

    func count(_ change: (inout ProxyCounters) -> Void) { state.withLock { change(&$0.counters) } }

    func register(_ client: ClientReference<Callbacks>) { state.withLock { $0.clients[client.id] = client } }

    func unregister(_ id: ObjectIdentifier) { _ = state.withLock { $0.clients.removeValue(forKey: id) } }
}
