import CLinux
import Glibc
import NIOCore
import VersionKitModel
import VersionKitRouter
import VersionKitSockets
import VersionKitWire

/// What peers send.
extension DatagramLoop {
    /// How often a header that stays the same is reported, and one is sent that no datagram goes with.
    private static let heardInterval: Duration = .seconds(1)
    /// After so long one is reported for which there were too many others.
    private static let retryInterval: Duration = .milliseconds(100)

    /// Datagrams from outside to a registered port.
    func arrive(_ datagram: vk_datagram, port: UInt16) {
        let source = Endpoint(datagram.remote)
        guard IPAddress(datagram.local) == addresses[source.address.family] else {
            return fresh.drop("not-for-this-host")
        }
        datagram.forEachPiece { bytes, length in
            let payload = UnsafeRawBufferPointer(start: bytes, count: length)
            if let headerLength = Self.headerLength(payload, limits: limits),
                let session = known(
                    UnsafeRawBufferPointer(rebasing: payload[..<headerLength]), from: source, port: port)
            {
                deliver(payload, behind: headerLength, to: session)
            } else {
                decide(payload, from: source, port: port)
            }
        }
    }

    /// A datagram of a peer without a router to a version that wrote to it.
    func arriveForDeparture(_ datagram: vk_datagram, key: DatagramSession.Key) {
        guard let session = sessions.find(key) else { return fresh.drop("no-session") }
        datagram.forEachPiece { bytes, length in
            deliver(UnsafeRawBufferPointer(start: bytes, count: length), behind: 0, to: session)
        }
    }

    /// How long the header in front is, going by its length field alone: 0 if there is none, `nil` if it cannot be whole.
    static func headerLength(_ payload: UnsafeRawBufferPointer, limits: Limits) -> Int? {
        guard payload.count >= 4, payload[0] == 0xF6, payload[1] == 0x56, payload[2] == 0x4B, payload[3] == 0x0A else {
            return 0
        }
        guard payload.count >= 18 else { return nil }
        let length = Int(payload[6]) << 8 | Int(payload[7])
        return length >= 18 && length <= min(payload.count, limits.headerBytesMax) ? length : nil
    }

    /// The conversation that a datagram with the same bytes in front belonged to.
    private func known(_ header: UnsafeRawBufferPointer, from source: Endpoint, port: UInt16) -> DatagramSession? {
        if let session = lastInbound, let flow = session.flow, flow.peer == source.address,
            flow.peerPort == source.port, flow.port == port, session.peerHeader.isSame(as: header)
        {
            return session
        }
        guard let session = sessions.find(flow(header, from: source, port: port)),
            session.peerHeader.isSame(as: header)
        else { return nil }
        return session
    }

    private func flow(_ header: UnsafeRawBufferPointer, from source: Endpoint, port: UInt16) -> DatagramSession.Flow {
        var hasher = Hasher()
        hasher.combine(bytes: header)
        return DatagramSession.Flow(
            peer: source.address, peerPort: source.port, port: port,
            hash: header.isEmpty ? 0 : hasher.finalize())
    }

    // MARK: Decisions

    /// A datagram as none before: reads its header and finds out whose it is.
    private func decide(_ payload: UnsafeRawBufferPointer, from source: Endpoint, port: UInt16) {
        let beginning = ByteBuffer(bytes: payload.prefix(limits.headerBytesMax))
        let decoded = VersionHeader.decodeAtEnd(beginning, limits: limits)
        guard case .header(let header, let length) = decoded else {
            let recipients = decoded == .absent ? table.recipients(on: .udp(port)) : []
            guard recipients.isEmpty else {
                for owner in recipients { deliverPlain(payload, from: source, port: port, to: owner) }
                return
            }
            switch table.inbound(decoded, on: .udp(port), over: source.address.family) {
            case .deliver(let application, let version, _, _):
                guard let session = deliverPlain(payload, from: source, port: port, to: (application, version)) else {
                    return
                }
                sessions.bind(
                    flow(UnsafeRawBufferPointer(rebasing: payload[..<0]), from: source, port: port), to: session)
            case .refuse(let refusal, _): refuse(refusal, payload, from: source, port: port)
            // Its versions look for themselves, and none of them serves.
            case .filter: fresh.drop(RoutingTable.Refusal.nothingRuns.description)
            case .control: break
            }
            return
        }
        let bytes = UnsafeRawBufferPointer(rebasing: payload[..<length])
        // Routers speak from the registered port and no other: a stranger on that host cannot pass for one.
        guard source.port == port else { return fresh.drop("strangers-port") }
        if header.flags.contains(.control) {
            fresh.control += 1
            if payload.count == length, let session = offered(header, from: source.address, port: port) {
                take(header, by: port, for: session)
                return report(session)
            }
            guard mayReport() else { return }
            return relay.onEvent(
                .control(header, payload: Array(payload[length...]), from: source.address, port: port))
        }
        guard let session = conversation(header, from: source.address, port: port, payload) else { return }
        take(header, by: port, for: session)
        session.peerHeader = Array(bytes)
        sessions.bind(flow(bytes, from: source, port: port), to: session)
        deliver(payload, behind: length, to: session)
    }

    /// Goes by another header of the peer's from now on.
    private func take(_ header: VersionHeader, by port: UInt16, for session: DatagramSession) {
        session.offers.hear(header.directPort?.number)
        session.peerSays = header
        session.arrivalPort = port
        session.heardAt = nil
        if session.isAnsweredPlainly {
            session.isAnsweredPlainly = false
            session.headerUntil = .zero
        }
    }

    /// Whose a datagram with a header is; `nil`: nobody's, which was counted.
    private func conversation(
        _ header: VersionHeader, from peer: IPAddress, port: UInt16, _ payload: UnsafeRawBufferPointer
    ) -> DatagramSession? {
        let seen = header.datagramPorts ?? .init(source: port, destination: port)
        guard seen.source != 0, seen.destination != 0 else {
            fresh.drop("no-such-port")
            return nil
        }
        // What a version asked for is let in: at its own port, and although it may not serve yet.
        if let version = header.sender, let known = table.applications[header.application],
            let environment = known.versions[version]?[peer.family],
            let session = sessions.find(
                .init(
                    version: environment, peer: peer, versionPort: seen.destination,
                    peerPort: seen.source)),
            session.isAnswered || known.isReachable(version)
        {
            return session
        }
        switch table.inbound(.header(header, length: 0), on: .udp(port), over: peer.family) {
        case .deliver(let application, let version, let endpoint, _):
            guard seen.destination == port else {
                fresh.drop("no-session")
                return nil
            }
            let key = DatagramSession.Key(
                version: endpoint.address, peer: peer, versionPort: port, peerPort: seen.source)
            return sessions.find(key) ?? begin(key, owner: (application, version), port: port)
        case .refuse(let refusal, _):
            refuse(refusal, payload, from: Endpoint(address: peer, port: port), port: port)
            if refusal == .versionNotRunning { tellVersions(of: header.application, to: peer, port: port) }
            return nil
        case .control, .filter: return nil
        }
    }

    /// The conversation for which a header without a datagram offers a direct port (``offer(_:)``), if a version here has
    /// sent anything in it: nothing begins by such a header.
    private func offered(_ header: VersionHeader, from peer: IPAddress, port: UInt16) -> DatagramSession? {
        let seen = header.datagramPorts ?? .init(source: port, destination: port)
        guard header.directPort != nil, let version = header.sender,
            let environment = table.applications[header.application]?.versions[version]?[peer.family],
            let session = sessions.find(
                .init(version: environment, peer: peer, versionPort: seen.destination, peerPort: seen.source)),
            session.isAnswered
        else { return nil }
        return session
    }

    @discardableResult
    private func deliverPlain(
        _ payload: UnsafeRawBufferPointer, from source: Endpoint, port: UInt16,
        to owner: (application: ApplicationID, version: Version)
    ) -> DatagramSession? {
        guard let environment = table.applications[owner.application]?.versions[owner.version]?[source.address.family]
        else { return nil }
        let key = DatagramSession.Key(
            version: environment, peer: source.address, versionPort: port, peerPort: source.port)
        guard let session = sessions.find(key) ?? begin(key, owner: owner, port: port) else { return nil }
        if !session.isAnsweredPlainly {
            session.isAnsweredPlainly = true
            session.headerUntil = .zero
        }
        session.peerHeader = []
        session.peerSays = nil
        deliver(payload, behind: 0, to: session)
        return session
    }

    /// Nobody gets it. Its sender sees a closed port, as on a host on which nothing listens.
    private func refuse(
        _ refusal: RoutingTable.Refusal, _ payload: UnsafeRawBufferPointer, from source: Endpoint, port: UInt16
    ) {
        fresh.drop(refusal.description)
        if case .invalidHeader = refusal { return }
        tellClosed(to: source, port: port, quoting: payload, length: payload.count)
    }

    // MARK: Delivery

    private func deliver(_ payload: UnsafeRawBufferPointer, behind length: Int, to session: DatagramSession) {
        lastInbound = session
        touch(session)
        report(session)
        // What the version answers takes a route, or it answers nothing: no header would ever tell the peer of one.
        if session.peerSays != nil, now - session.toldAt >= Self.heardInterval { offer(session) }
        let count = payload.count - length
        session.uncounted.delivered += 1
        session.uncounted.deliveredBytes += UInt64(count)
        if length == 0 { fresh.plain += 1 }
        guard let socket = session.delivery, let bytes = payload.baseAddress else { return fresh.drop("no-port") }
        emit(
            vk_outgoing_datagram(
                header: nil, bytes: bytes + length, header_length: 0, length: UInt32(count),
                remote: vk_endpoint(session.key.version, session.key.versionPort),
                local: socket.isShared ? vk_address(session.key.peer) : vk_address()),
            // Longer than a link takes it can only be because it came in fragments.
            by: socket, mayFragment: !socket.isShared || count > Self.linkBytesMax - socket.family.datagramHeadersBytes,
            of: session,
            isDelivery: true)
    }

    /// The longest packet on an environment's link.
    private static let linkBytesMax = 1500

    private func report(_ session: DatagramSession) {
        // First what is quick to ask: this is done for each datagram.
        let isMutual = session.offers.isKnown(at: now)
        if let last = session.heardAt, now - last < Self.heardInterval, isMutual == session.offers.isReported { return }
        guard let header = session.peerSays else { return }
        session.offers.isReported = isMutual
        guard mayReport() else { return session.heardAt = now - Self.heardInterval + Self.retryInterval }
        session.heardAt = now
        relay.onEvent(
            .heard(
                header, from: session.key.peer, port: session.port,
                deliveredTo: session.owner.version, isMutual: isMutual))
    }
}

extension [UInt8] {
    fileprivate func isSame(as bytes: UnsafeRawBufferPointer) -> Bool {
        guard count == bytes.count else { return false }
        guard let base = bytes.baseAddress else { return true }
        return memcmp(self, base, count) == 0
    }
}
