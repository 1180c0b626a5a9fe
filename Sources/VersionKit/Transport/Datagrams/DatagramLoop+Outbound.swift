import CLinux
import Glibc
import VersionKitModel
import VersionKitRouter
import VersionKitSockets
import VersionKitWire

/// What versions send.
extension DatagramLoop {
    /// A datagram of a version to a registered port of a peer.
    func leaveByPort(_ datagram: vk_datagram, port: UInt16, owner: (application: ApplicationID, version: Version)) {
        let key = DatagramSession.Key(
            version: IPAddress(datagram.remote.address), peer: IPAddress(datagram.local),
            versionPort: datagram.remote.port, peerPort: port)
        if let session = lastOutbound, session.key == key { return leave(datagram, session) }
        if let session = sessions.find(key) { return leave(datagram, session) }
        // Asked before anything is remembered: what is refused costs no memory.
        if case .refuse(let refusal) = table.outbound(
            from: owner.application, to: key.peer, on: .udp(port))
        {
            return fresh.drop(refusal.rawValue)
        }
        guard let session = begin(key, owner: owner, port: port) else { return }
        leave(datagram, session)
    }

    /// A datagram of a version to a port of a peer that wrote to it.
    func answer(_ datagram: vk_datagram, to peer: Endpoint) {
        let key = DatagramSession.Key(
            version: IPAddress(datagram.remote.address), peer: peer.address,
            versionPort: datagram.remote.port, peerPort: peer.port)
        guard let session = lastOutbound?.key == key ? lastOutbound : sessions.find(key) else {
            return fresh.drop("no-session")
        }
        leave(datagram, session)
    }

    private func leave(_ datagram: vk_datagram, _ session: DatagramSession) {
        guard refresh(session) else { return }
        lastOutbound = session
        session.isAnswered = true
        datagram.forEachPiece { bytes, length in
            touch(session)
            session.uncounted.sent += 1
            session.uncounted.sentBytes += UInt64(length)
            if session.isPlain {
                fresh.plain += 1
                emitPlain(bytes, length, session, mayFragment: datagram.was_fragmented)
            } else {
                guard let socket = session.router else { return fresh.drop("no-port") }
                session.offers.noteSent(at: now)
                session.toldAt = now
                emit(
                    vk_outgoing_datagram(
                        header: UnsafeRawPointer(session.header.baseAddress), bytes: bytes,
                        header_length: UInt32(session.headerLength), length: UInt32(length),
                        remote: vk_endpoint(session.key.peer, session.port),
                        local: session.hostAddress),
                    by: socket, mayFragment: datagram.was_fragmented, of: session, isDelivery: false)
            }
        }
    }

    /// Tells the peer of the direct port here by a header alone.
    func offer(_ session: DatagramSession) {
        session.toldAt = now
        guard refresh(session), !session.isPlain, session.offers.isAny, let socket = session.router, mayNotify()
        else { return }
        var header = self.header(of: session)
        header.flags.insert(.control)
        session.offers.noteSent(at: now)
        send(header, to: vk_endpoint(session.key.peer, session.port), from: session.hostAddress, by: socket)
    }

    private func emitPlain(_ bytes: UnsafeRawPointer, _ length: Int, _ session: DatagramSession, mayFragment: Bool) {
        guard let socket = session.departure else { return fresh.drop("no-port") }
        // A socket of one conversation is connected, and has this host's address already.
        let isShared = socket.isShared
        let peer = vk_endpoint(session.key.peer, session.key.peerPort)
        emit(
            vk_outgoing_datagram(
                header: nil, bytes: bytes, header_length: 0, length: UInt32(length),
                remote: isShared ? peer : vk_endpoint(),
                local: isShared ? session.hostAddress : vk_address()),
            by: socket, mayFragment: mayFragment, of: session, isDelivery: false)
    }

    /// Sends one soon: at the latest when all that came with it are dealt with.
    func emit(
        _ datagram: vk_outgoing_datagram, by socket: DatagramSocket, mayFragment: Bool, of session: DatagramSession,
        isDelivery: Bool
    ) {
        if !outgoing.canAppend(by: socket, mayFragment: mayFragment) { flush() }
        outgoing.append(datagram, by: socket, mayFragment: mayFragment, of: session, isDelivery: isDelivery)
    }

    /// Sends all that wait to be sent.
    func flush() {
        guard outgoing.count > 0, let socket = outgoing.socket else { return }
        defer { outgoing.removeAll() }
        socket.setFragments(outgoing.mayFragment)
        var inSegments = socket.sendsSegments && !outgoing.mayFragment
        var isRetried = false
        var next = 0
        while next < outgoing.count {
            let sent = vk_send_datagrams(
                socket.descriptor, outgoing.datagrams + next, UInt32(outgoing.count - next), inSegments)
            if sent > 0 {
                next += Int(sent)
                isRetried = false
                continue
            }
            let code = errno
            switch code {
            case EINTR: continue
            case EAGAIN, ENOBUFS:
                // As a network does: what there is no room for is lost.
                return fresh.drop("socket-full", UInt64(outgoing.count - next))
            case EIO, EINVAL, EMSGSIZE, EOPNOTSUPP:
                if inSegments {
                    inSegments = false
                    if code != EMSGSIZE { socket.sendsSegments = false }
                    continue
                }
            default: break
            }
            // It may be the error of an earlier datagram that is told now.
            drainErrors(of: socket)
            if isRetried {
                if !sentInFragments(next, code, by: socket) { notSent(next, code) }
                next += 1
            }
            isRetried.toggle()
        }
    }

    /// Sends in fragments what a version cannot make shorter: nobody with IPv6 can be told of paths below 1280 bytes, so
    /// the room for the header is not the version's to leave.
    private func sentInFragments(_ index: Int, _ code: Int32, by socket: DatagramSocket) -> Bool {
        let family = socket.family
        let packetBytes = family.datagramHeadersBytes + Int(outgoing.datagrams[index].length)
        guard code == EMSGSIZE, family == .v6, !outgoing.mayFragment, packetBytes <= family.pathBytesMin else {
            return false
        }
        socket.setFragments(true)
        defer { socket.setFragments(false) }
        return vk_send_datagrams(socket.descriptor, outgoing.datagrams + index, 1, false) == 1
    }
}

extension vk_datagram {
    /// Calls `body` with each datagram of those that the kernel put together.
    func forEachPiece(_ body: (UnsafeRawPointer, Int) -> Void) {
        let size = segment_size == 0 ? Int(length) : Int(segment_size)
        var offset = 0
        repeat {
            body(UnsafeRawPointer(bytes) + offset, min(size, Int(length) - offset))
            offset += size
        } while offset < Int(length)
    }
}
