import CLinux
import Glibc
import NIOCore
import VersionKitModel
import VersionKitRouter
import VersionKitSockets
import VersionKitWire

/// What does not arrive: told to whoever sent it, as the network would have without a router between.
extension DatagramLoop {
    /// How many errors of one socket are looked at before the others have their turn.
    private static let errorsMax = 64

    /// Whether one more error may be told now.
    func mayNotify() -> Bool {
        if notices.take(at: now) { return true }
        fresh.noticesWithheld += 1
        return false
    }

    /// Whether one more header may be reported now.
    func mayReport() -> Bool {
        if reports.take(at: now) { return true }
        fresh.noticesWithheld += 1
        return false
    }

    /// Reads what the kernel has to tell of datagrams that a socket sent.
    func drainErrors(of socket: DatagramSocket) {
        withUnsafeTemporaryAllocation(byteCount: 2048, alignment: 8) { buffer in
            for _ in 0..<Self.errorsMax {
                var error = vk_datagram_error()
                guard let start = buffer.baseAddress,
                    vk_receive_datagram_error(socket.descriptor, &error, start, buffer.count) == 1
                else { break }
                let returned = UnsafeRawBufferPointer(rebasing: buffer[..<min(Int(error.length), buffer.count)])
                if error.is_local {
                    pathBytesMax = error.mtu
                } else if let reason = Undelivered(
                    icmpType: error.icmp_type, code: error.icmp_code, family: socket.family)
                {
                    report(reason, error, returned, of: socket)
                }
            }
        }
        // Without a message in the queue, the error is in the socket, and reported until it is asked for.
        _ = vk_socket_error(socket.descriptor)
    }

    private func report(
        _ reason: Undelivered, _ error: vk_datagram_error, _ returned: UnsafeRawBufferPointer, of socket: DatagramSocket
    ) {
        let remote = Endpoint(error.remote)
        if owners[remote.address] != nil {
            return deliveryFailed(error, at: remote, of: socket)
        }
        fresh.drop(reason.reason)
        switch socket.role {
        case .peer: break
        case .departure(let key): pass(reason, error, quoting: returned, headerLength: 0, along: key)
        case .port(let port):
            let decoded = VersionHeader.decode(ByteBuffer(bytes: returned), limits: limits)
            if case .header(let header, let length) = decoded {
                let seen = header.datagramPorts ?? .init(source: port, destination: port)
                guard let version = header.sender,
                    let environment = table.applications[header.application]?.versions[version]?[remote.address.family]
                else { return }
                let key = DatagramSession.Key(
                    version: environment, peer: remote.address, versionPort: seen.source,
                    peerPort: seen.destination)
                let payload = UnsafeRawBufferPointer(rebasing: returned[length...])
                return pass(reason, error, quoting: payload, headerLength: length, along: key)
            }
            // Without a header it may have been any version's.
            for version in owners.keys {
                let key = DatagramSession.Key(
                    version: version, peer: remote.address, versionPort: port, peerPort: remote.port)
                pass(reason, error, quoting: returned, headerLength: 0, along: key)
            }
        }
    }

    /// Tells a version what became of its datagram, if it sent any such: others' words are not taken for it.
    private func pass(
        _ reason: Undelivered, _ error: vk_datagram_error, quoting payload: UnsafeRawBufferPointer, headerLength: Int,
        along key: DatagramSession.Key
    ) {
        guard let session = sessions.find(key), session.isAnswered else { return }
        // A closed port is the peer's own word; anything else was said by a router on the way.
        let offender = IPAddress(error.offender)
        tell(
            session, reason, reporter: reason == .portClosed ? key.peer : offender.isAny ? nil : offender,
            path: error.mtu, behind: headerLength, quoting: payload)
    }

    /// - Parameters:
    ///   - reporter: who says so; `nil`: this host.
    ///   - path: the longest packet that it takes, and how long the header is that takes some of it; 0: not known.
    private func tell(
        _ session: DatagramSession, _ reason: Undelivered, reporter: IPAddress? = nil, path: UInt32 = 0,
        behind headerLength: Int = 0, quoting payload: UnsafeRawBufferPointer
    ) {
        let family = session.key.peer.family
        guard let address = reporter ?? addresses[family], mayNotify() else { return }
        let room = path == 0 ? 0 : max(family.pathBytesMin, min(Int(path), 65_535) - headerLength)
        let message = UnreachableMessage(
            reason: reason, pathBytesMax: reason == .tooLong ? UInt16(room) : 0, reporter: address,
            source: Endpoint(address: session.key.version, port: session.key.versionPort),
            destination: Endpoint(address: session.key.peer, port: session.key.peerPort))
        send(message.packet(quoting: payload, length: payload.count), to: message.source.address)
    }

    private func send(_ packet: [UInt8], to address: IPAddress) {
        guard let raw = raw[address.family] else { return }
        let sent = vk_send_packet(raw.descriptor, packet, packet.count, vk_address(address))
        if sent < 0 { fresh.noticesWithheld += 1 } else { fresh.notices += 1 }
    }

    // MARK: Towards peers

    /// A version here does not take what was delivered to it.
    private func deliveryFailed(_ error: vk_datagram_error, at version: Endpoint, of socket: DatagramSocket) {
        let peer: Endpoint
        switch socket.role {
        case .port(let port):
            peer = Endpoint(address: IPAddress(error.local), port: port)
        case .peer(let endpoint): peer = endpoint
        case .departure: return
        }
        fresh.drop("version-port-closed")
        let key = DatagramSession.Key(
            version: version.address, peer: peer.address, versionPort: version.port, peerPort: peer.port)
        if let session = sessions.find(key) { tellClosed(session) }
    }

    /// The peer's own router, or the peer itself, finds its header in the message and passes it on.
    private func tellClosed(_ session: DatagramSession) {
        let port = session.peerSays == nil ? session.key.peerPort : session.arrivalPort
        session.peerHeader.withUnsafeBytes {
            tellClosed(
                to: Endpoint(address: session.key.peer, port: port), port: session.arrivalPort,
                quoting: $0, length: $0.count)
        }
    }

    /// Answers a datagram as a closed port does.
    func tellClosed(to source: Endpoint, port: UInt16, quoting payload: UnsafeRawBufferPointer, length: Int) {
        guard let address = addresses[source.address.family], mayNotify() else { return }
        let message = UnreachableMessage(
            reason: .portClosed, reporter: address, source: source,
            destination: Endpoint(address: address, port: port))
        send(message.packet(quoting: payload, length: length), to: source.address)
    }

    /// A peer that speaks as a version which does not run here at least hears which one does (S 3.5): a header and nothing
    /// behind it.
    func tellVersions(of application: ApplicationID, to peer: IPAddress, port: UInt16) {
        guard let version = table.applications[application]?.advertised.max(),
            let socket = ports[.init(number: port, family: peer.family)], let address = addresses[peer.family],
            mayNotify()
        else { return }
        var header = table.header(of: application, from: version, on: .udp(port), using: &random)
        header.flags.insert(.control)
        send(header, to: vk_endpoint(peer, port), from: vk_address(address), by: socket)
    }

    /// Sends a header alone.
    func send(_ header: VersionHeader, to peer: vk_endpoint, from local: vk_address, by socket: DatagramSocket) {
        header.encoded().withUnsafeReadableBytes { bytes in
            var datagram = vk_outgoing_datagram(
                header: nil, bytes: bytes.baseAddress, header_length: 0, length: UInt32(bytes.count),
                remote: peer, local: local)
            if vk_send_datagrams(socket.descriptor, &datagram, 1, false) < 1 { fresh.noticesWithheld += 1 }
        }
    }

    // MARK: What this host itself does not send

    /// A datagram that waits to be sent could not be.
    func notSent(_ index: Int, _ code: Int32) {
        guard let session = outgoing.sessions[index] else { return }
        let datagram = outgoing.datagrams[index]
        guard !outgoing.areDeliveries[index] else {
            fresh.drop("version-unreachable")
            return tellClosed(session)
        }
        let payload = UnsafeRawBufferPointer(start: datagram.bytes, count: Int(datagram.length))
        switch code {
        case EMSGSIZE:
            fresh.drop("too-long-for-path")
            // More than IP has room for, with the header, has no length that one could name.
            guard !outgoing.mayFragment, pathBytesMax > 0 else { return }
            tell(session, .tooLong, path: pathBytesMax, behind: Int(datagram.header_length), quoting: payload)
        default:
            fresh.drop("peer-unreachable")
            tell(session, .noHost, quoting: payload)
        }
    }
}
