import CLinux
import Glibc
import NIOCore
import Synchronization
import VersionKitModel
import VersionKitRouter
import VersionKitWire

/// Connections of peers: identified by their header, or by a filter, and delivered to a version here.
extension RelayLoop {
    func acceptInbound(from listener: Int32, port: UInt16) {
        for _ in 0..<Self.acceptsMax {
            guard let (socket, source) = Sockets.accept(listener) else { return }
            guard count < limits.relayedConnectionsMax else {
                refuse("too-many", peer: source)
                Sockets.reset(socket)
                continue
            }
            if waiting.identifying.count >= limits.identifyingConnectionsMax, let oldest = waiting.identifying.oldest {
                // Those who never say who they are make room for those who may.
                refuse("too-many-identifying", peer: source)
                abort(Int(oldest & 0xFFFF_FFFF))
            }
            let connection = insert(
                near: socket, phase: .identifying(port: port), peer: source, port: port, isOutbound: false)
            connection.near.header = ByteBuffer()
            setInterest(connection, far: false, Epoll.input)
        }
    }

    /// Reads the beginning of an inbound connection.
    func identify(_ connection: RelayedConnection, port: UInt16) {
        let received = recv(connection.near.socket, readArea.baseAddress, limits.headerBytesMax, 0)
        if received < 0 {
            guard errno != EAGAIN else { return }
            if connection.near.header?.readableBytes == 0 {
                // A peer's router that kept the connection for use, and did not need it.
                relay.ledger.unused.wrappingAdd(1, ordering: .relaxed)
            } else {
                refuse("left-early", connection)
            }
            return abort(connection.slot)
        }
        connection.near.header?.writeBytes(UnsafeRawBufferPointer(rebasing: readArea[..<received]))
        if received == 0 { connection.near.isFinished = true }
        decide(connection, port: port, isLast: received == 0)
    }

    /// Acts on what is there of the beginning.
    ///
    /// - Parameter isLast: nothing more will come, or not in time.
    func decide(_ connection: RelayedConnection, port: UInt16, isLast: Bool) {
        let bytes = connection.near.header ?? ByteBuffer()
        let decoded =
            isLast ? VersionHeader.decodeAtEnd(bytes, limits: limits) : VersionHeader.decode(bytes, limits: limits)
        guard decoded != .needMore else { return }
        if case .header(let header, let length) = decoded {
            connection.near.header?.moveReaderIndex(forwardBy: length)
            plainPeers.heardRouter(at: connection.peer.address)
            if !header.flags.contains(.control) { heard(header, connection) }
        }
        switch table.inbound(decoded, on: .tcp(port), over: connection.peer.address.family) {
        case .refuse(let refusal, let header):
            refuse(refusal.description, connection)
            if let header { answerRefused(header, connection) } else { abort(connection.slot) }
        case .control(let header): giveAway(connection, header)
        case .deliver(let application, let version, let endpoint, let header):
            deliver(connection, to: (application, version), at: endpoint, header)
        case .filter(let application, let prefixes):
            filter(connection, application, prefixes, port: port, isLast: isLast)
        }
    }

    private func filter(
        _ connection: RelayedConnection, _ application: ApplicationID, _ prefixes: PrefixFilter, port: UInt16,
        isLast: Bool
    ) {
        let bytes = connection.near.header ?? ByteBuffer()
        var peek = PeekBuffer(
            bytes.getSlice(at: bytes.readerIndex, length: min(bytes.readableBytes, limits.filterBytesMax)) ?? bytes)
        let verdict = prefixes.version(of: &peek)
        if verdict == .needMore, !isLast, bytes.readableBytes < limits.filterBytesMax { return }
        let family = connection.peer.address.family
        // Who says nothing at all may be waiting for the other side to begin.
        let decision =
            bytes.readableBytes == 0 && verdict == .needMore
            ? table.plain(on: .tcp(port), over: family)
            : table.filtered(verdict, of: application, on: .tcp(port), over: family)
        switch decision {
        case .deliver(let application, let version, let endpoint, _):
            deliver(connection, to: (application, version), at: endpoint, nil)
        case .refuse(let refusal, _):
            refuse(refusal.description, connection)
            abort(connection.slot)
        case .control, .filter: preconditionFailure("what a filter decides is not decided again")
        }
    }

    private func giveAway(_ connection: RelayedConnection, _ header: VersionHeader) {
        let rest = connection.near.header ?? ByteBuffer()
        let socket = connection.near.socket
        relay.ledger.control.wrappingAdd(1, ordering: .relaxed)
        leave(connection)
        forget(connection)
        relay.onEvent(.control(socket: socket, header, rest: rest, from: connection.peer.address))
    }

    private func deliver(
        _ connection: RelayedConnection, to owner: (application: ApplicationID, version: Version),
        at endpoint: Endpoint, _ header: VersionHeader?
    ) {
        connection.owner = owner
        let flow = relay.ledger.flow(owner.application, owner.version, connection.peer.address)
        connection.flow = flow
        if header == nil {
            relay.ledger.plain.wrappingAdd(1, ordering: .relaxed)
        } else {
            relay.ledger.inbound.wrappingAdd(1, ordering: .relaxed)
        }
        flow.connections.wrappingAdd(1, ordering: .relaxed)
        // What came behind the header goes to the application as soon as it is reached.
        let rest = connection.near.header ?? ByteBuffer()
        connection.near.header = nil
        setInterest(connection, far: false, 0)
        enter(connection, .connecting(.delivery))
        if let header {
            connection.near.prefix =
                table.header(
                    of: owner.application, from: owner.version, on: .tcp(endpoint.port), using: &random
                ).encoded()
            if header.flags.contains(.prompt), !sendPrefix(to: connection.near) {
                refuse("left-early", connection)
                return abort(connection.slot)
            }
        }
        guard open(connection, to: endpoint, from: connection.peer) else { return }
        connection.far?.unsent = rest
        awaitConnection(connection)
    }

    /// The version here is reached.
    func beginDelivery(_ connection: RelayedConnection) {
        enter(connection, .relaying)
        if connection.near.prefix != nil { waiting.greeting.join(connection.id, at: now) }
        if let far = connection.far, far.unsent.readableBytes > 0 {
            connection.flow?.moved(far.unsent.readableBytes, toPeer: false, isDelivery: true)
        }
        let isFine = pump(connection, fromFar: false) && pump(connection, fromFar: true)
        settle(connection, isFine: isFine, hungUp: nil)
    }

    /// A peer whose connection is refused at least hears that a router is here, and which versions are (S 3.5). By the
    /// sender of this header, which is not its own version, it knows that it is refused.
    private func answerRefused(_ header: VersionHeader, _ connection: RelayedConnection) {
        var answer = VersionHeader(application: header.application, sender: nil, flags: .control)
        if let version = table.applications[header.application]?.advertised.max(), version != header.sender {
            answer = table.header(of: header.application, from: version, using: &random)
        }
        connection.near.prefix = answer.encoded()
        _ = sendPrefix(to: connection.near)
        leave(connection)
        close(connection.near.socket)
        forget(connection)
    }
}
