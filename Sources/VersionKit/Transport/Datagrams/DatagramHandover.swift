import VersionKitModel
import VersionKitProcesses

extension DatagramRelay {
    /// What a relay leaves to the one that goes on with its work: sockets, with what waits in them, and conversations.
    ///
    /// The descriptors are open until a relay that resumes it closes them. Times are relative.
    package struct Handover: Sendable, Codable {
        var sockets: [DatagramSocket.State] = []
        /// The longest unused first.
        var sessions: [DatagramSession.State] = []
        /// What was done so far.
        package internal(set) var counters = DatagramCounters()
    }
}

extension DatagramSocket {
    struct State: Sendable, Codable {
        let descriptor: InheritedDescriptor
        let family: IPAddress.Family
        let role: Role
        let overflow: UInt32
        let sendsSegments: Bool
        let sendsFragments: Bool
    }

    var state: State {
        State(
            descriptor: InheritedDescriptor(descriptor), family: family, role: role, overflow: overflow,
            sendsSegments: sendsSegments, sendsFragments: sendsFragments)
    }
}

extension DatagramSession {
    /// What a peer's header says is not kept: it is learned from the next one.
    struct State: Sendable, Codable {
        let inside: Endpoint
        let peer: Endpoint
        let application: ApplicationID
        let version: Version
        let port: UInt16
        let isAnswered: Bool
        let isAnsweredPlainly: Bool
        /// Descriptors of sockets that are no registered port's.
        let delivery: Int32?
        let departure: Int32?
        let unusedMilliseconds: Int64

        var key: Key {
            Key(version: inside.address, peer: peer.address, versionPort: inside.port, peerPort: peer.port)
        }
    }

    func state(at now: Duration) -> State {
        State(
            inside: Endpoint(address: key.version, port: key.versionPort),
            peer: Endpoint(address: key.peer, port: key.peerPort), application: owner.application,
            version: owner.version, port: port, isAnswered: isAnswered, isAnsweredPlainly: isAnsweredPlainly,
            delivery: delivery?.isShared == false ? delivery?.descriptor : nil,
            departure: departure?.isShared == false ? departure?.descriptor : nil,
            unusedMilliseconds: Int64((now - lastUsed) / .milliseconds(1)))
    }
}

/// One line of text, for there may be thousands, and nobody reads their datagrams meanwhile.
extension DatagramSession.State {
    private var words: [String] {
        [
            inside.description, peer.description, application.rawValue, String(version.number), String(port),
            String(isAnswered), String(isAnsweredPlainly), String(delivery ?? -1), String(departure ?? -1),
            String(unusedMilliseconds),
        ]
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(words.joined(separator: " "))
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let words = try container.decode(String.self).split(separator: " ").map(String.init)
        guard words.count == 10, let inside = Endpoint(words[0]), let peer = Endpoint(words[1]),
            let application = ApplicationID(rawValue: words[2]), let version = Version(words[3]),
            let port = UInt16(words[4]),
            let isAnswered = Bool(words[5]), let isAnsweredPlainly = Bool(words[6]), let delivery = Int32(words[7]),
            let departure = Int32(words[8]), let unusedMilliseconds = Int64(words[9])
        else { throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a conversation") }
        self.init(
            inside: inside, peer: peer, application: application, version: version, port: port,
            isAnswered: isAnswered, isAnsweredPlainly: isAnsweredPlainly, delivery: delivery < 0 ? nil : delivery,
            departure: departure < 0 ? nil : departure, unusedMilliseconds: unusedMilliseconds)
    }
}

extension DatagramLoop {
    /// Everything but the thread: the loop is of no use afterwards.
    func handOver() -> DatagramRelay.Handover {
        // It was not even resumed.
        if let resumed { return resumed }
        var handover = DatagramRelay.Handover()
        handover.sessions = sessions.all.map { $0.state(at: now) }
        handover.sockets = sockets.values.map { socket in
            socket.isClosedInTheEnd = false
            return socket.state
        }
        handover.counters = relay.counters
        return handover
    }

    /// Goes on where another loop ended. What has lost its use since is closed by the table that is read next.
    func resume(_ handover: DatagramRelay.Handover) {
        var known: [Int32: DatagramSocket] = [:]
        for state in handover.sockets {
            let socket = DatagramSocket(state)
            known[socket.descriptor] = socket
            guard case .port(let number) = socket.role else { continue }
            ports[.init(number: number, family: socket.family)] = socket
            watch(socket)
        }
        for state in handover.sessions { resume(state, known) }
    }

    private func resume(_ state: DatagramSession.State, _ known: [Int32: DatagramSocket]) {
        let session = makeSession(state.key, owner: (state.application, state.version), port: state.port)
        let family = state.key.peer.family
        guard sessions.find(state.key) == nil,
            let delivery = state.delivery.map({ known[$0] }) ?? ports[.init(number: state.key.peerPort, family: family)]
        else { return }
        if let leaving = sessions.nextToLeave { end(leaving) }
        session.isAnswered = state.isAnswered
        session.isAnsweredPlainly = state.isAnsweredPlainly
        use(delivery, for: session)
        if let departure = state.departure.flatMap({ known[$0] }) {
            session.departure = departure
            watch(departure)
        }
        sessions.insert(session, at: now - .milliseconds(state.unusedMilliseconds))
    }
}
