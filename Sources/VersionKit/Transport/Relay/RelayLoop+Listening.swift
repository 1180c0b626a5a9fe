import CLinux
import Glibc
import Synchronization
import VersionKitModel
import VersionKitProcesses
import VersionKitRouter

/// Ports, and the table of those who are there.
extension RelayLoop {
    /// Takes over a new routing table: listens on ports that are new, and no longer on those that are gone.
    func readTable() {
        (table, generation, ending) = relay.shared.withLock { ($0.table, $0.generation, $0.ending) }
        defer { relay.shared.withLock { $0.seen[number] = generation } }
        guard generation > 0 else { return }
        // Routers fetch releases by TCP at the port of an application that itself speaks UDP only.
        let ports = Set(table.ports.map(\.number))
        listenAgainAt = nil
        let configuration = relay.configuration
        let wanted = configuration.transparentEndpoints.union(configuration.endpoints(of: ports))
        for endpoint in wanted.subtracting(listeners.values) {
            do throws(SystemError) {
                let listener = try Sockets.listen(on: endpoint, transparent: endpoint.address.isAny)
                listeners[listener] = endpoint
                watch(listener)
            } catch {
                refuse("listen: \(error)", peer: endpoint)
                // The application that had the port so far, without a router, may be about to end.
                listenAgainAt = now + limits.listenRetryInterval
            }
        }
        for (listener, endpoint) in listeners where !wanted.contains(endpoint) {
            // Peers' routers that keep connections for use learn by this that they lead nowhere any more.
            for connection in connections where connection?.phase == .identifying(port: endpoint.port) {
                if let connection { abort(connection.slot) }
            }
            close(listener)
            listeners[listener] = nil
        }
    }

    /// Lets in who waits at a listening socket.
    func accept(from listener: Int32) {
        // It may have been closed since the event.
        guard let endpoint = listeners[listener] else { return }
        if endpoint.address.isAny {
            acceptOutbound(from: listener)
        } else {
            acceptInbound(from: listener, port: endpoint.port)
        }
    }

    /// Enters a connection into the table; with a near end of -1, one for a pool.
    func insert(
        near: Int32, phase: RelayedConnection.Phase, peer: Endpoint, port: UInt16, isOutbound: Bool,
        waited: Duration = .zero
    ) -> RelayedConnection {
        let slot = freeSlots.popLast() ?? connections.count
        if slot == connections.count { connections.append(nil) }
        serial += 1
        let connection = RelayedConnection(
            id: serial << 32 | UInt64(slot), near: near, phase: phase, peer: peer, port: port, isOutbound: isOutbound)
        connections[slot] = connection
        if !connection.isPooled { count += 1 }
        join(connection, at: now - waited)
        return connection
    }

    /// Goes on to another phase, with its time-out.
    func enter(_ connection: RelayedConnection, _ phase: RelayedConnection.Phase) {
        leaveRoom(connection)
        if connection.isPooled { count += 1 }
        connection.phase = phase
        if connection.isPooled { count -= 1 }
        join(connection, at: now)
    }

    private func join(_ connection: RelayedConnection, at time: Duration) {
        switch connection.phase {
        case .identifying: waiting.identifying.join(connection.id, at: time)
        case .connecting, .pooling: waiting.connecting.join(connection.id, at: time)
        case .probing: waiting.probing.join(connection.id, at: time)
        case .pooled, .relaying: break
        }
    }

    func leaveRoom(_ connection: RelayedConnection) {
        switch connection.phase {
        case .identifying: waiting.identifying.leave(connection.id)
        case .connecting, .pooling: waiting.connecting.leave(connection.id)
        case .probing: waiting.probing.leave(connection.id)
        case .pooled: break
        case .relaying: if connection.near.prefix != nil { waiting.greeting.leave(connection.id) }
        }
    }

    /// Begins to connect the far end.
    ///
    /// - Returns: whether it could be tried; if not, the connection is gone.
    func open(_ connection: RelayedConnection, to endpoint: Endpoint, from source: Endpoint?) -> Bool {
        do throws(SystemError) {
            connection.far = RelayEnd(socket: try Sockets.connect(to: endpoint, from: source))
            return true
        } catch {
            refuse("connect: \(String(cString: strerror(error.code)))", connection)
            abort(connection.slot)
            return false
        }
    }

    /// Goes on at once if the far end's connection stands already, or waits for it.
    func awaitConnection(_ connection: RelayedConnection) {
        guard let far = connection.far else { return }
        if Sockets.isConnected(far.socket) {
            connected(connection)
        } else {
            setInterest(connection, far: true, Epoll.output)
        }
    }

    /// The far end's connection stands, or failed.
    func connected(_ connection: RelayedConnection) {
        guard let far = connection.far, case .connecting(let how) = connection.phase else { return }
        let code = Sockets.error(of: far.socket)
        guard code == 0 else {
            refuse("connect: \(String(cString: strerror(code)))", connection)
            return abort(connection.slot)
        }
        switch how {
        case .withHeader: probe(connection)
        case .plain:
            relay.ledger.plain.wrappingAdd(1, ordering: .relaxed)
            beginOutbound(connection)
        case .delivery: beginDelivery(connection)
        }
    }
}
