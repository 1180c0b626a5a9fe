import CLinux
import Glibc
import NIOCore
import Synchronization
import VersionKitModel
import VersionKitProcesses
import VersionKitRouter
import VersionKitSockets
import VersionKitWire

/// Connections of versions here to peers.
extension RelayLoop {
    func acceptOutbound(from listener: Int32) {
        for _ in 0..<Self.acceptsMax {
            guard let (socket, source) = Sockets.accept(listener) else { return }
            guard let sender = table.sender(at: source.address), count < limits.relayedConnectionsMax,
                let wanted = localEndpoint(of: socket)
            else {
                refuse(count < limits.relayedConnectionsMax ? "unknown-sender" : "too-many", peer: source)
                Sockets.reset(socket)
                continue
            }
            let isPlainPeer = plainPeers.contains(wanted, at: now)
            let manner = table.outbound(from: sender, to: wanted, isPlainPeer: isPlainPeer)
            if case .refuse(let reason) = manner {
                refuse(reason.rawValue, peer: wanted)
                Sockets.reset(socket)
                continue
            }
            let flow = relay.ledger.flow(sender.application, sender.version, wanted.address)
            flow.connections.wrappingAdd(1, ordering: .relaxed)
            relay.ledger.outbound.wrappingAdd(1, ordering: .relaxed)
            if manner == .header, let ready = takePooled(to: wanted) {
                ready.near = RelayEnd(socket: socket)
                ready.owner = sender
                ready.flow = flow
                beginPooled(ready)
                refill(wanted)
                continue
            }
            let connection = insert(
                near: socket, phase: .connecting(manner == .plain ? .plain : .withHeader), peer: wanted,
                port: wanted.port, isOutbound: true)
            connection.owner = sender
            connection.flow = flow
            setInterest(connection, far: false, 0)
            guard open(connection, to: wanted, from: nil) else { continue }
            awaitConnection(connection)
        }
    }

    /// Asks a peer of which nothing certain is known: our header goes, the application's bytes wait for its answer.
    func probe(_ connection: RelayedConnection) {
        guard let owner = connection.owner, let far = connection.far else { return }
        enter(connection, .probing)
        var header = table.header(
            of: owner.application, from: owner.version, on: .tcp(connection.peer.port), using: &random)
        header.flags.insert(.prompt)
        far.prefix = header.encoded()
        far.header = ByteBuffer()
        guard sendPrefix(to: far) else { return probed(connection, isLast: true) }
        setInterest(connection, far: true, Epoll.input)
    }

    /// Reads the answer to our header.
    func probed(_ connection: RelayedConnection, isLast: Bool) {
        guard let far = connection.far else { return }
        var isLast = isLast
        let received = recv(far.socket, readArea.baseAddress, limits.headerBytesMax, 0)
        if received > 0 {
            far.header?.writeBytes(UnsafeRawBufferPointer(rebasing: readArea[..<received]))
        } else if received == 0 || errno != EAGAIN {
            isLast = true
        }
        let bytes = far.header ?? ByteBuffer()
        let decoded =
            isLast ? VersionHeader.decodeAtEnd(bytes, limits: limits) : VersionHeader.decode(bytes, limits: limits)
        switch ProbeVerdict(decoded, bytes: bytes.readableBytes, isLast: isLast) {
        case .wait: break
        case .invalid(let fault):
            refuse(fault.rawValue, connection)
            abort(connection.slot)
        case .router(let header, let length):
            guard isAnswer(header, connection) else { return abort(connection.slot) }
            far.header = nil
            connection.near.unsent =
                bytes.getSlice(
                    at: bytes.readerIndex + length, length: bytes.readableBytes - length) ?? ByteBuffer()
            if received == 0 { far.isFinished = true }
            beginOutbound(connection)
            open(pools.heardRouter(at: connection.peer, time: now), to: connection.peer)
        case .plain(let isCertain):
            if isCertain { plainPeers.found(connection.peer, at: now) }
            speakPlainly(connection, isProven: isCertain)
        }
    }

    /// Whether a peer's header accepts our connection; one that refuses it is counted.
    func isAnswer(_ header: VersionHeader, _ connection: RelayedConnection) -> Bool {
        let isAccepted = !header.flags.contains(.control) && header.sender == connection.owner?.version
        if !header.flags.contains(.control) { heard(header, connection) }
        if !isAccepted { refuse("refused-by-peer", connection) }
        return isAccepted
    }

    /// Connects once more, without a header. Nothing of the application's was sent yet.
    private func speakPlainly(_ connection: RelayedConnection, isProven: Bool) {
        guard let owner = connection.owner, let far = connection.far, table.speaksPlainly(owner) else {
            refuse(OutboundRefusal.plainPeer.rawValue, connection)
            return abort(connection.slot)
        }
        if far.interest != nil { epoll_ctl(epoll, EPOLL_CTL_DEL, far.socket, nil) }
        Sockets.reset(far.socket)
        connection.far = nil
        // One that only left may have been a router in trouble: it counts as plain when it has answered plainly.
        connection.provesPlain = !isProven
        enter(connection, .connecting(.plain))
        guard open(connection, to: connection.peer, from: nil) else { return }
        awaitConnection(connection)
    }

    /// The application's bytes may flow.
    func beginOutbound(_ connection: RelayedConnection) {
        enter(connection, .relaying)
        let isFine = pump(connection, fromFar: true) && pump(connection, fromFar: false)
        settle(connection, isFine: isFine, hungUp: nil)
    }

    func heard(_ header: VersionHeader, _ connection: RelayedConnection) {
        let (peer, port) = (connection.peer.address, TransportPort.tcp(connection.port))
        guard news.isNews(header, from: peer, by: port, at: now) else { return }
        relay.onEvent(.heard(header, from: peer, port: port))
    }
}
