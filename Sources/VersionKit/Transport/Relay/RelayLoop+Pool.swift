import CLinux
import Glibc
import NIOCore
import Synchronization
import VersionKitModel
import VersionKitProcesses
import VersionKitRouter
import VersionKitWire

/// Connections to peers' routers that are open before a version needs them. Nothing was sent on them; they are closed with
/// a reset, by which the peer tells them from a client that sends nothing.
extension RelayLoop {
    /// A connection that is ready, if there is one, and then no longer the pool's.
    func takePooled(to endpoint: Endpoint) -> RelayedConnection? {
        while let slot = pools.take(to: endpoint, time: now) {
            guard let connection = connections[slot], let far = connection.far else { continue }
            if Sockets.isQuiet(far.socket) { return connection }
            // It ended, and epoll is about to say so.
            poolEnded(connection)
        }
        return nil
    }

    /// The header goes first, in one piece with the application's first bytes if they are there.
    func beginPooled(_ connection: RelayedConnection) {
        guard let owner = connection.owner, let far = connection.far else { return }
        relay.ledger.pooled.wrappingAdd(1, ordering: .relaxed)
        enter(connection, .relaying)
        far.prefix = table.header(
            of: owner.application, from: owner.version, on: .tcp(connection.peer.port), using: &random
        ).encoded()
        far.header = ByteBuffer()
        let isFine = pump(connection, fromFar: false) && sendPrefix(to: far)
        settle(connection, isFine: isFine, hungUp: nil)
    }

    /// Opens what is missing in an endpoint's pool.
    func refill(_ endpoint: Endpoint) { open(pools.missing(at: endpoint), to: endpoint) }

    /// Opens so many connections for a pool.
    func open(_ wanted: Int, to endpoint: Endpoint) {
        for _ in 0..<max(0, wanted) {
            guard let socket = try? Sockets.connect(to: endpoint) else { return lose(endpoint) }
            // Descriptors are given out lowest first. The last ones are for connections that somebody waits for.
            guard socket < relay.spareDescriptorsFrom else {
                close(socket)
                return
            }
            let connection = insert(
                near: -1, phase: .pooling, peer: endpoint, port: endpoint.port, isOutbound: true)
            connection.far = RelayEnd(socket: socket)
            pools.opening(connection.slot, to: endpoint)
            if Sockets.isConnected(socket) {
                poolConnected(connection)
            } else {
                setInterest(connection, far: true, Epoll.output)
            }
        }
    }

    func poolConnected(_ connection: RelayedConnection) {
        guard let far = connection.far else { return }
        guard Sockets.error(of: far.socket) == 0 else { return poolEnded(connection) }
        guard pools.opened(connection.slot, to: connection.peer, time: now) else { return abort(connection.slot) }
        enter(connection, .pooled)
        setInterest(connection, far: true, Epoll.input)
    }

    /// The peer ended a connection that waited for use, or sent something on it, which no router does.
    func poolEnded(_ connection: RelayedConnection) {
        lose(connection.peer)
        // It is not among the pool's if the pool had ended already.
        abort(connection.slot)
    }

    /// Ends a pool whose peer may have no router any more.
    func lose(_ endpoint: Endpoint) {
        for slot in pools.lost(at: endpoint) { abort(slot) }
    }

    func perform(_ work: ConnectionPools.Work) {
        for slot in work.close { abort(slot) }
        for (endpoint, wanted) in work.open { open(wanted, to: endpoint) }
    }
}
