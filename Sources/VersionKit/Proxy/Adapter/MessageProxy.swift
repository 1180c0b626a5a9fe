public import DequeModule
public import NIOCore
public import VersionKitModel
public import VersionKitWire

/// Shows the clients of a ``MessageAdapter`` one consistent system: the framework's half of an application proxy.
///
/// A state machine without effects, one per client connection. Requests get numbers in the order of their arrival and
/// are sent in that order; each version answers its own requests in order; the client gets its replies in the order of
/// its requests, whatever the order in which versions answer.
///
/// The parts: requests come in and are begun here; `+Sending` starts them when it is their turn; `+Replies` takes the
/// answers; `+Writes` settles writes to several versions; `+Versions` deals with versions that come and go. `+Runs` is the
/// short way for requests that need no look inside, and `+Expansion` the way back from it.
public struct MessageProxy<Adapter: MessageAdapter>: ProxyCallbacks {
    @usableFromInline typealias Conversation = Exchange<Adapter>

    @usableFromInline let adapter: Adapter
    @usableFromInline let limits: Limits
    @usableFromInline var session: Adapter.Session
    /// Requests without a delivered answer, the oldest first; the first one has the number `delivered`.
    @usableFromInline var exchanges: Deque<Conversation> = []
    @usableFromInline var delivered = 0
    /// The number of the first request that waits for its turn.
    @usableFromInline var started = 0
    @usableFromInline var lanes: [Lane<Adapter.Request>] = []
    /// Requests that travel together. While there are any, there are no exchanges.
    @usableFromInline var runs: Deque<Run> = []
    /// Replies were large once: on a shared connection other clients would wait for this one to take them.
    @usableFromInline var takesMuch = false
    /// How many requests may be under way on shared connections.
    @usableFromInline var sharedRequestsMax: Int
    /// How many requests of a run that was taken apart are still to be settled, by its ticket.
    @usableFromInline var shared: [Int: Int] = [:]
    /// A request is under way that may change what the next ones mean.
    @usableFromInline var isSessionChanging = false
    /// The client is not served on, because of this.
    @usableFromInline var refusal: ProxyError?
    /// The client said that it is done, and gets what it asked for before.
    @usableFromInline var isDone = false
    @usableFromInline var speaker: Version?
    /// How many of the next replies are not for the client.
    @usableFromInline var silentReplies = 0

    /// A proxy for one client connection.
    @inlinable
    public init(_ adapter: Adapter, limits: Limits = .standard) {
        self.adapter = adapter
        self.limits = limits
        session = adapter.makeSession()
        sharedRequestsMax = min(limits.firstSharedRequestsMax, limits.pipelinedRequestsMax)
    }

    @inlinable
    public var isQuiescent: Bool { exchanges.isEmpty && runs.isEmpty }

    @inlinable
    public func isAwaiting(_ version: Version) -> Bool { lane(of: version).map { !lanes[$0].owed.isEmpty } ?? false }

    @inlinable
    public func announcesClient(to version: Version) -> Bool { adapter.announcesClient(to: version) }

    @inlinable
    public func resumption() -> (bytes: ByteBuffer, replies: Int)? {
        guard let speaker else { return (ByteBuffer(), 0) }
        var bytes = ByteBuffer()
        let requests = adapter.resumption(session, of: speaker)
        for request in requests {
            // What cannot be worded cannot move; the connection stays where it is.
            guard let worded = try? adapter.encode(request, for: speaker) else { return nil }
            bytes.writeImmutableBuffer(worded)
        }
        return (bytes, requests.count)
    }

    @inlinable
    public mutating func resume(silentReplies: Int) { self.silentReplies = silentReplies }

    @inlinable
    func lane(of version: Version, isShared: Bool = false) -> Int? {
        lanes.firstIndex { $0.version == version && $0.isShared == isShared }
    }

    /// Whether a shared connection still owes something: what goes by another one must not overtake it.
    @inlinable
    var isSharedOwed: Bool { lanes.contains { $0.isShared && !$0.owed.isEmpty } }

    // MARK: Requests

    @inlinable
    public mutating func handleRequest(
        from client: Version?, _ data: inout PeekBuffer, _ connection: inout ConnectionHandler
    ) throws(ProxyError) -> Int {
        guard refusal == nil, !isDone else { return data.count }
        guard exchanges.count < limits.pipelinedRequestsMax, !isSessionChanging else { return 0 }
        do throws(ProxyError) {
            var identified = client
            if identified == nil { identified = try adapter.identifyClient(&data) }
            guard let speaker = identified else { return 0 }
            self.speaker = speaker
            data.resetPeek()
            if exchanges.isEmpty, let length = takeRun(from: speaker, &data, &connection) { return length }
            data.resetPeek()
            guard let request = try adapter.parseRequest(&data, from: speaker) else { return 0 }
            let length = data.peekedBytes
            precondition(length > 0, "an adapter parsed a request of no bytes")
            expand(&connection)
            begin(request, from: speaker, original: data.prefix(length) ?? ByteBuffer(), &connection)
            return length
        } catch {
            refuse(error, &connection)
            return data.count
        }
    }

    @inlinable
    public mutating func refuse(_ error: ProxyError, _ connection: inout ConnectionHandler) {
        guard refusal == nil else { return }
        expand(&connection)
        refusal = error
        deliver(&connection)
    }

    @inlinable
    mutating func begin(
        _ request: Adapter.Request, from client: Version, original: ByteBuffer, _ connection: inout ConnectionHandler
    ) {
        var request = request
        var context = DispatchContext(
            versions: connection.versions, milliseconds: connection.milliseconds, session: session)
        let dispatch = adapter.dispatch(&request, &context)
        session = context.session
        var exchange = Conversation(
            request, from: client, original: original, plan: plan(dispatch, connection.versions))
        let number = delivered + exchanges.count
        switch exchange.plan {
        case .all(let keys, _), .lead(let keys):
            // Where writes are logged each of them has a turn: the log has to come to an end.
            guard !keys.isEmpty || !connection.versions.logged.isEmpty else { break }
            exchange.ticket = number
            exchange.isGranted = false
            connection.order(number, by: keys)
        default: break
        }
        exchanges.append(exchange)
        if case .session = dispatch { isSessionChanging = true }
        if case .answerAndClose = dispatch { isDone = true }
        switch dispatch {
        case .answer(let reply), .answerAndClose(let reply):
            decide(number, reply, &connection)
            connection.noteAnswered(failed: adapter.judge(reply) == .failure)
        default: break
        }
        startReady(&connection)
    }

    @inlinable
    func plan(_ dispatch: Dispatch<Adapter.Reply>, _ versions: VersionList) -> Conversation.Plan {
        // With one version every way is the same, and nothing needs to be ordered.
        let alone = versions.count == 1 ? versions.max : nil
        switch dispatch {
        case .answer, .answerAndClose: return .decided
        case .only(let version): return .single(version)
        case .session: return .session
        case .custom(let strategy): return .custom(strategy, steps: 0)
        case .newestFirst: return alone.map { .single($0) } ?? .inTurn(next: [])
        case .choose: return alone.map { .single($0) } ?? .choose
        case .all(let keys, let missed): return alone.map { .single($0) } ?? .all(keys, missed)
        case .lead(let keys):
            precondition(adapter.copiesKeys, "only a KeyedAdapter can copy what one version did to the others")
            return alone.map { .single($0) } ?? .lead(keys)
        }
    }

    // MARK: Answers

    /// Decides an exchange by a reply that no version gave.
    @inlinable
    mutating func decide(_ number: Int, _ reply: Adapter.Reply, _ connection: inout ConnectionHandler) {
        let exchange = exchanges[number - delivered]
        do throws(ProxyError) {
            exchanges[number - delivered].outcome = try adapter.encode(
                reply, to: exchange.request, for: exchange.client)
        } catch {
            // The adapter cannot even word the failure: the client learns of it by the end of its connection.
            exchanges[number - delivered].outcome = ByteBuffer()
            refusal = refusal ?? error
        }
    }

    /// Fails an exchange for a reason of the framework's.
    @inlinable
    mutating func fail(_ number: Int, _ error: ProxyError, _ connection: inout ConnectionHandler) {
        decide(number, adapter.failure(error, of: exchanges[number - delivered].request), &connection)
        connection.noteAnswered(failed: true)
        conclude(number, &connection)
    }

    /// Clears up behind an exchange whose outcome is there, and delivers what can be delivered.
    @inlinable
    mutating func conclude(_ number: Int, _ connection: inout ConnectionHandler) {
        if let ticket = exchanges[number - delivered].ticket { finish(ticket, &connection) }
        if case .session = exchanges[number - delivered].plan { isSessionChanging = false }
        deliver(&connection)
        startReady(&connection)
    }

    /// Gives a ticket back, once all that share it are done.
    @inlinable
    mutating func finish(_ ticket: Int, _ connection: inout ConnectionHandler) {
        if let left = shared[ticket] {
            shared[ticket] = left > 1 ? left - 1 : nil
            guard left == 1 else { return }
        }
        connection.finish(ticket)
    }

    /// Sends what is decided, as far as the order of requests allows.
    @inlinable
    mutating func deliver(_ connection: inout ConnectionHandler) {
        while delivered < started, let outcome = exchanges.first?.outcome {
            if silentReplies > 0 {
                silentReplies -= 1
            } else if outcome.readableBytes > 0 {
                connection.enqueueClient(outcome)
            }
            exchanges.removeFirst()
            delivered += 1
        }
        guard exchanges.isEmpty, isDone || refusal != nil else { return }
        if let refusal, let words = adapter.goodbye(refusal, to: speaker) { connection.enqueueClient(words) }
        connection.closeClient(refusal)
    }
}
