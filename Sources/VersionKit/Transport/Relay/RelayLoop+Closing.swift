import CLinux
import Glibc
import VersionKitModel

/// What epoll watches, and how connections end.
extension RelayLoop {
    /// Watches for what can happen next, or ends the connection if nothing can.
    func settle(_ connection: RelayedConnection, isFine: Bool, hungUp: Bool?) {
        // It may have ended on the way, with the pool that it came from.
        guard connections[connection.slot] === connection, let far = connection.far else { return }
        guard isFine else {
            // The system call that failed is the last one that was made.
            if !connection.isRefused { countRefusal("broken: \(String(cString: strerror(errno)))", connection) }
            return abort(connection.slot)
        }
        if connection.near.isShut, far.isShut {
            leave(connection)
            close(connection.near.socket)
            close(far.socket)
            return forget(connection)
        }
        setInterest(connection, far: false, interest(of: connection.near, other: far), hungUp: hungUp == false)
        setInterest(connection, far: true, interest(of: far, other: connection.near), hungUp: hungUp == true)
    }

    private func interest(of end: RelayEnd, other: RelayEnd) -> UInt32 {
        var events: UInt32 = 0
        if !end.isFinished, !other.isBehind { events |= Epoll.input }
        if end.isBehind { events |= Epoll.output }
        return events
    }

    func setInterest(_ connection: RelayedConnection, far: Bool, _ events: UInt32, hungUp: Bool = false) {
        guard let end = far ? connection.far : connection.near else { return }
        var interest: UInt32? = events
        // epoll reports a hang-up whether one asks or not: a socket that waits for nothing would spin.
        if hungUp, events == 0 { interest = nil }
        guard interest != end.interest else { return }
        var event = epoll_event(
            events: events, data: epoll_data(u64: UInt64(connection.slot) << 1 | (far ? 1 : 0)))
        let operation =
            interest == nil ? EPOLL_CTL_DEL : end.interest == nil ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
        epoll_ctl(epoll, operation, end.socket, &event)
        end.interest = interest
    }

    func refuse(_ reason: String, peer: Endpoint) {
        relay.ledger.refuse(reason)
        relay.onEvent(.refused(reason: reason, peer: peer))
    }

    func refuse(_ reason: String, _ connection: RelayedConnection) {
        countRefusal(reason, connection)
        relay.onEvent(.refused(reason: reason, peer: connection.peer))
    }

    private func countRefusal(_ reason: String, _ connection: RelayedConnection) {
        connection.isRefused = true
        connection.flow?.refuse(reason)
        relay.ledger.refuse(reason)
    }

    /// Ends a connection so that both ends see that it broke.
    func abort(_ slot: Int) {
        guard let connection = connections[slot] else { return }
        leave(connection)
        if connection.near.socket >= 0 { Sockets.reset(connection.near.socket) }
        if let far = connection.far { Sockets.reset(far.socket) }
        forget(connection)
    }

    /// Takes a connection's sockets out of epoll, before they are closed or given away.
    ///
    /// Closing alone does not: another thread may be between fork and exec at this moment, and then its child holds the
    /// socket for a while. Epoll would go on reporting it, under a slot that belongs to another connection by then.
    func leave(_ connection: RelayedConnection) {
        if connection.near.interest != nil { epoll_ctl(epoll, EPOLL_CTL_DEL, connection.near.socket, nil) }
        if let far = connection.far, far.interest != nil { epoll_ctl(epoll, EPOLL_CTL_DEL, far.socket, nil) }
    }

    func forget(_ connection: RelayedConnection) {
        leaveRoom(connection)
        for end in [connection.near, connection.far] {
            if let pipe = end?.pipe { pipes.give(pipe) }
            end?.pipe = nil
        }
        if !connection.isPooled { count -= 1 }
        connections[connection.slot] = nil
        freedInBatch.append(connection.slot)
    }
}
