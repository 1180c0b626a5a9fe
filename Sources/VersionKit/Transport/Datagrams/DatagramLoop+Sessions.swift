import CLinux
import Glibc
import NIOCore
import VersionKitModel
import VersionKitProcesses
import VersionKitRouter
import VersionKitSockets
import VersionKitWire

/// The beginning and the end of conversations.
extension DatagramLoop {
    /// How long a header is sent unchanged: then it advertises another version.
    private static let headerLifetime: Duration = .seconds(1)

    /// A new conversation, or `nil` if there can be none: that is counted.
    func begin(
        _ key: DatagramSession.Key, owner: (application: ApplicationID, version: Version), port: UInt16
    ) -> DatagramSession? {
        // Whoever makes room may have datagrams that wait.
        flush()
        guard sessions.hasRoom(for: key.peer) else {
            fresh.drop("too-many-of-peer")
            return nil
        }
        if let leaving = sessions.nextToLeave {
            fresh.sessionsEvicted += 1
            end(leaving)
        }
        let session = makeSession(key, owner: owner, port: port)
        let peer = Endpoint(address: key.peer, port: key.peerPort)
        guard
            let socket = ports[.init(number: key.peerPort, family: key.peer.family)] ?? peers[peer]
                ?? makeSocket({ () throws(SystemError) in try DatagramSocket.peer(peer) })
        else { return nil }
        session.toldAt = now
        use(socket, for: session)
        sessions.insert(session, at: now)
        return session
    }

    func makeSession(
        _ key: DatagramSession.Key, owner: (application: ApplicationID, version: Version), port: UInt16
    ) -> DatagramSession {
        DatagramSession(
            key, owner: owner, port: port,
            offers: offers.of(DirectRoute(from: key.version, to: key.peer, port: .udp(port))),
            headerBytesMax: limits.datagramHeaderBytesMax)
    }

    /// What a conversation has of sockets from its beginning on.
    func use(_ delivery: DatagramSocket, for session: DatagramSession) {
        session.offers.users += 1
        let family = session.key.peer.family
        session.router = ports[.init(number: session.port, family: family)]
        session.hostAddress = addresses[family].map { vk_address($0) } ?? vk_address()
        session.delivery = delivery
        guard case .peer(let peer) = delivery.role else { return }
        delivery.users += 1
        peers[peer] = delivery
        if delivery.token == 0 { watch(delivery) }
    }

    /// Forgets a conversation.
    func end(_ session: DatagramSession) {
        flush()
        if lastOutbound === session { lastOutbound = nil }
        if lastInbound === session { lastInbound = nil }
        sessions.remove(session)
        session.offers.users -= 1
        if let socket = session.delivery, !socket.isShared {
            socket.users -= 1
            if socket.users == 0 {
                unwatch(socket)
                if case .peer(let peer) = socket.role { peers[peer] = nil }
            }
        }
        if let socket = session.departure, !socket.isShared { unwatch(socket) }
        session.delivery = nil
        session.departure = nil
        session.router = nil
    }

    /// Sees to it that a conversation's header is of today. False: nothing may be sent.
    func refresh(_ session: DatagramSession) -> Bool {
        guard now >= session.headerUntil else { return true }
        flush()
        let peer = session.key.peer
        switch table.outbound(from: session.owner.application, to: peer, on: .udp(session.port)) {
        case .refuse(let refusal):
            fresh.drop(refusal.rawValue)
            return false
        case .plain: session.isPlain = true
        case .withHeader: session.isPlain = session.isAnsweredPlainly
        }
        if session.isPlain {
            guard prepareDeparture(session) else { return false }
        } else {
            encodeHeader(of: session)
        }
        session.headerUntil = now + Self.headerLifetime
        return true
    }

    /// The header for a conversation's datagrams.
    func header(of session: DatagramSession) -> VersionHeader {
        var header = table.header(
            of: session.owner.application, from: session.owner.version, on: .udp(session.port), using: &random)
        let key = session.key
        if key.versionPort != session.port || key.peerPort != session.port {
            header.datagramPorts = .init(source: key.versionPort, destination: key.peerPort)
        }
        return header
    }

    private func encodeHeader(of session: DatagramSession) {
        let header = header(of: session)
        header.encoded().withUnsafeReadableBytes { bytes in
            precondition(bytes.count <= session.header.count, "a header of \(bytes.count) bytes")
            session.header.copyMemory(from: bytes)
            session.headerLength = bytes.count
        }
        session.offers.offer(header.directPort?.number)
    }

    /// What goes to a peer without a router leaves from the version's own port, on this host's address.
    private func prepareDeparture(_ session: DatagramSession) -> Bool {
        guard session.departure == nil else { return true }
        let family = session.key.peer.family
        if let shared = ports[.init(number: session.key.versionPort, family: family)] {
            session.departure = shared
            return true
        }
        guard let address = addresses[family] else { return false }
        let made = makeSocket { () throws(SystemError) in try DatagramSocket.departure(session.key, from: address) }
        guard let made else { return false }
        // Making it may have cost this very conversation its place.
        guard session.slot >= 0 else {
            unwatch(made)
            return false
        }
        session.departure = made
        return true
    }

    private func makeSocket(
        _ make: () throws(SystemError) -> (socket: DatagramSocket, isReplaced: Bool)
    ) -> DatagramSocket? {
        if sessionSockets >= limits.datagramSocketsMax, let leaving = sessions.nextToLeaveSocket {
            fresh.sessionsEvicted += 1
            end(leaving)
        }
        guard sessionSockets < limits.datagramSocketsMax else {
            fresh.drop("too-many-sockets")
            return nil
        }
        do throws(SystemError) {
            let (socket, isReplaced) = try make()
            if isReplaced { fresh.portsReplaced += 1 }
            watch(socket)
            return socket
        } catch {
            fresh.drop("no-socket: \(String(cString: strerror(error.code)))")
            return nil
        }
    }
}
