public import DequeModule
public import NIOCore
public import VersionKitModel

/// Requests are sent when it is their turn, in the order of their arrival.
extension MessageProxy {
    @inlinable
    public mutating func ordered(_ number: Int, _ connection: inout ConnectionHandler) {
        if !runs.isEmpty { return grantRun(number, &connection) }
        guard number >= delivered, number - delivered < exchanges.count else { return }
        for index in (number - delivered)..<exchanges.count {
            guard exchanges[index].ticket == number else { break }
            exchanges[index].isGranted = true
        }
        startReady(&connection)
    }

    /// Starts the requests whose turn it is: the first that has to wait holds up those after it.
    @inlinable
    mutating func startReady(_ connection: inout ConnectionHandler) {
        guard !isSharedOwed else { return }
        while started - delivered < exchanges.count, exchanges[started - delivered].isGranted {
            // A read that is still to be asked of another version has to be asked in the session that it came in.
            if case .session = exchanges[started - delivered].plan, started > delivered { return }
            let number = started
            started += 1
            start(number, &connection)
        }
    }

    @inlinable
    mutating func start(_ number: Int, _ connection: inout ConnectionHandler) {
        let all = connection.versions.filter { !connection.behind.contains($0) }
        switch exchanges[number - delivered].plan {
        case .decided: deliver(&connection)
        case .single(let version): askAlone(number, version, &connection)
        case .inTurn:
            // As things are now: since the request came it may have waited behind a write.
            var next = connection.readable
            let first = next.popLast()
            exchanges[number - delivered].plan = .inTurn(next: next)
            ask(number, first.map { [$0] } ?? [], &connection)
        case .choose: ask(number, connection.readable, &connection)
        case .session: ask(number, all, &connection)
        case .lead where !keepsMissed(connection): failUnkept(number, &connection)
        case .lead(let keys): ask(number, connection.authority(in: keys).map { [$0] } ?? [], &connection)
        case .all(let keys, let missed):
            let isComplete = all.count == connection.versions.present.count
            let canMiss = adapter.writePolicy == .catchUp && (missed != .copy || adapter.copiesKeys)
            let isPossible = isComplete || (canMiss && connection.authority(in: keys) != nil)
            if isComplete, !connection.unlike.isEmpty, connection.authority(in: keys) == nil {
                return failLacking(number, &connection)
            }
            if isPossible, missed != .nothing, !keepsMissed(connection) { return failUnkept(number, &connection) }
            ask(number, isPossible ? all : [], &connection)
        case .custom, .follow: advance(number, &connection)
        }
    }

    /// Whether a write may begin now, as far as what versions miss of it is concerned.
    @inlinable
    func keepsMissed(_ connection: ConnectionHandler) -> Bool { connection.keepsMissed || connection.behind.isEmpty }

    @inlinable
    mutating func failUnkept(_ number: Int, _ connection: inout ConnectionHandler) {
        let versions = connection.behind.map(\.description).joined(separator: ", ")
        let error = ProxyError(
            .unkept, "version \(versions) is behind, and what it misses cannot be kept at the moment", side: .proxy,
            isRetrySafe: true)
        fail(number, error, &connection)
    }

    /// Each version lacks another of a write's keys. No answer would count, and every copy would undo something that was
    /// acknowledged; when one of them has all the keys, the client may ask again.
    @inlinable
    mutating func failLacking(_ number: Int, _ connection: inout ConnectionHandler) {
        let error = ProxyError(
            .noVersion, "every version still lacks another of these keys; they are being copied", side: .proxy,
            isRetrySafe: true)
        fail(number, error, &connection)
    }

    /// Most requests go this way: one version, nothing to compare. No list is made for them.
    @inlinable
    mutating func askAlone(_ number: Int, _ version: Version, _ connection: inout ConnectionHandler) {
        guard connection.versions.contains(version) else { return ask(number, [], &connection) }
        let index = number - delivered
        guard let lane = lane(of: version),
            adapter.forwards(exchanges[index].request, from: exchanges[index].client, to: version)
        else { return ask(number, [version], &connection) }
        connection.enqueue(exchanges[index].original, to: version)
        lanes[lane].owed.append(number)
    }

    /// Sends an exchange's request to versions; with none of them it fails.
    @inlinable
    mutating func ask(_ number: Int, _ versions: [Version], _ connection: inout ConnectionHandler) {
        guard !versions.isEmpty else {
            let error = ProxyError(.noVersion, "no version runs that could do this", side: .proxy, isRetrySafe: true)
            return fail(number, error, &connection)
        }
        do throws(ProxyError) {
            // All of it is worded before any of it is sent: a version that was asked owes an answer.
            var messages: [(version: Version, message: Message)] = []
            for version in versions { messages.append((version, try message(number, for: version))) }
            exchanges[number - delivered].awaited = versions
            for (version, message) in messages { send(message, number, to: version, &connection) }
        } catch {
            fail(number, error, &connection)
        }
    }

    /// What goes to one version: the request, after a greeting if the connection is new.
    @usableFromInline struct Message {
        @usableFromInline var greetings: [(request: Adapter.Request, bytes: ByteBuffer)] = []
        @usableFromInline var bytes: ByteBuffer

        @inlinable
        init(bytes: ByteBuffer) { self.bytes = bytes }
    }

    @inlinable
    func message(_ number: Int, for version: Version) throws(ProxyError) -> Message {
        var message = Message(bytes: try bytes(of: exchanges[number - delivered], for: version))
        guard lane(of: version) == nil else { return message }
        for request in adapter.greeting(session, to: version) {
            message.greetings.append((request, try adapter.encode(request, for: version)))
        }
        return message
    }

    @inlinable
    mutating func send(
        _ message: Message, _ number: Int, to version: Version, _ connection: inout ConnectionHandler
    ) {
        let index: Int
        if let known = lane(of: version) {
            index = known
        } else {
            index = lanes.count
            lanes.append(Lane(version: version))
        }
        for (request, bytes) in message.greetings {
            connection.enqueue(bytes, to: version)
            lanes[index].greetings.append(request)
            lanes[index].owed.append(Lane<Adapter.Request>.greeting)
        }
        connection.enqueue(message.bytes, to: version)
        lanes[index].owed.append(number)
    }

    /// A request as this version takes it.
    @inlinable
    func bytes(of exchange: Conversation, for version: Version) throws(ProxyError) -> ByteBuffer {
        if let effect = exchange.effect { return try adapter.encode(effect, for: version) }
        return adapter.forwards(exchange.request, from: exchange.client, to: version)
            ? exchange.original : try adapter.encode(exchange.request, for: version)
    }
}

extension ConnectionHandler {
    /// The version whose word about these keys counts: the newest that clients read from, or, when none of those is up
    /// to date, the newest other one that has all of the state.
    @inlinable
    func authority(in keys: Keys) -> Version? {
        versions.reading.last { isCurrent($0, in: keys) } ?? versions.complete.last { isCurrent($0, in: keys) }
    }
}
