import DequeModule
import NIOCore
public import VersionKitModel
public import VersionKitWire

/// Shows the clients of a ``MessageAdapter`` one consistent system: the framework's half of an application proxy.
///
/// A state machine without effects, one per client connection. Requests get numbers in the order of their arrival;
/// each version answers its own requests in order; the client gets its replies in the order of its requests, whatever
/// the order in which versions answer.
public struct MessageProxy<Adapter: MessageAdapter>: ProxyCallbacks {
    private typealias Conversation = Exchange<Adapter.Request, Adapter.Reply>

    private let adapter: Adapter
    private let limits: Limits
    /// Requests without a delivered answer, the oldest first; the first one has the number `delivered`.
    private var exchanges: Deque<Conversation> = []
    private var delivered = 0
    /// For each version, the numbers of the requests that it still has to answer, in the order they were sent.
    private var owed: [Version: Deque<Int>] = [:]

    /// A proxy for one client connection.
    public init(_ adapter: Adapter, limits: Limits = .standard) {
        self.adapter = adapter
        self.limits = limits
    }

    public var isQuiescent: Bool { exchanges.isEmpty }

    public func isAwaiting(_ version: Version) -> Bool { owed[version]?.isEmpty == false }

    // MARK: Client to versions

    public mutating func handleRequest(
        from client: Version?, _ data: inout PeekBuffer, _ connection: inout ConnectionHandler
    ) throws(ProxyError) -> Int {
        guard exchanges.count < limits.pipelinedRequestsMax else { return 0 }
        let speaker: Version
        if let client {
            speaker = client
        } else {
            guard let identified = try adapter.identifyClient(&data) else { return 0 }
            speaker = identified
            data.resetPeek()
        }
        guard let request = try adapter.parseRequest(&data, from: speaker) else { return 0 }
        let length = data.peekedBytes
        precondition(length > 0, "an adapter parsed a request of no bytes")
        try begin(request, from: speaker, original: data.prefix(length) ?? ByteBuffer(), &connection)
        return length
    }

    private mutating func begin(
        _ request: Adapter.Request, from client: Version, original: ByteBuffer, _ connection: inout ConnectionHandler
    ) throws(ProxyError) {
        let number = delivered + exchanges.count
        var exchange = Conversation(request, from: client, original: original, plan: .choose, awaited: [])
        switch adapter.dispatch(request, among: connection.versions) {
        case .newestFirst:
            var next = Array(connection.versions.reading)
            exchange.awaited = next.popLast().map { [$0] } ?? []
            exchange.plan = .inTurn(next: next)
        case .all:
            exchange.awaited = Array(connection.versions)
            exchange.plan = .all
        case .choose:
            exchange.awaited = Array(connection.versions.reading)
        case .only(let version):
            exchange.awaited = connection.versions.contains(version) ? [version] : []
        case .answer(let reply):
            exchange.outcome = try adapter.encode(reply, to: request, for: client)
        }
        exchanges.append(exchange)
        if exchange.outcome == nil, exchange.awaited.isEmpty {
            let error = ProxyError(.noVersion, "no version runs that could answer", side: .proxy, isRetrySafe: true)
            try fail(number, error)
            connection.noteAnswered(failed: true)
        }
        for version in exchange.awaited { try send(number, to: version, &connection) }
        deliver(&connection)
    }

    private mutating func send(
        _ number: Int, to version: Version, _ connection: inout ConnectionHandler
    ) throws(ProxyError) {
        let exchange = exchanges[number - delivered]
        let bytes =
            exchange.client == version
            ? exchange.original : try adapter.encode(exchange.request, for: version)
        connection.enqueue(bytes, to: version)
        owed[version, default: []].append(number)
    }

    // MARK: Versions to client

    public mutating func handleReply(
        from version: Version, _ data: inout PeekBuffer, _ connection: inout ConnectionHandler
    ) throws(ProxyError) -> Int {
        guard let number = owed[version]?.first else {
            throw .malformedReply("version \(version) sent \(data.count) bytes that nobody asked for")
        }
        let exchange = exchanges[number - delivered]
        guard let reply = try adapter.parseReply(&data, to: exchange.request, from: version) else { return 0 }
        let length = data.peekedBytes
        precondition(length > 0, "an adapter parsed a reply of no bytes")
        owed[version]?.removeFirst()
        let original = exchange.client == version ? data.prefix(length) : nil
        try receive(reply, original, from: version, to: number, &connection)
        return length
    }

    private mutating func receive(
        _ reply: Adapter.Reply, _ original: ByteBuffer?, from version: Version, to number: Int,
        _ connection: inout ConnectionHandler
    ) throws(ProxyError) {
        let index = number - delivered
        let answer = Conversation.Answer(
            version: version, reply: reply, original: original, verdict: adapter.judge(reply))
        exchanges[index].awaited.removeAll { $0 == version }
        exchanges[index].answers.append(answer)
        try advance(number, &connection)
    }

    /// Asks the next version, or settles the exchange, if there is nothing more to wait for.
    private mutating func advance(_ number: Int, _ connection: inout ConnectionHandler) throws(ProxyError) {
        let index = number - delivered
        if exchanges[index].awaited.isEmpty, !exchanges[index].isComplete,
            case .inTurn(var next) = exchanges[index].plan, let version = next.popLast()
        {
            exchanges[index].plan = .inTurn(next: next)
            if connection.versions.contains(version) {
                exchanges[index].awaited = [version]
                try send(number, to: version, &connection)
            } else {
                try advance(number, &connection)
            }
            return
        }
        guard exchanges[index].isComplete, exchanges[index].outcome == nil else { return }
        try settle(number, &connection)
        deliver(&connection)
    }

    /// Decides what the client gets.
    private mutating func settle(_ number: Int, _ connection: inout ConnectionHandler) throws(ProxyError) {
        let exchange = exchanges[number - delivered]
        let answers = exchange.answers.sorted { $0.version < $1.version }
        let good = answers.filter { $0.verdict == .answer }
        let newest = connection.versions.max
        var chosen: Conversation.Answer?
        var failed = false
        switch exchange.plan {
        case .all:
            let bad = answers.first { $0.verdict != .answer }
            failed = bad != nil
            chosen = bad ?? good.last
        case .choose where good.count > 1:
            let picked = adapter.choose(good.map { ($0.version, $0.reply) }, to: exchange.request)
            precondition(good.indices.contains(picked), "an adapter chose a reply that is not there")
            chosen = good[picked]
        case .choose, .inTurn:
            chosen = good.last ?? answers.last
            failed = good.isEmpty && answers.last?.verdict == .failure
        }
        guard let chosen else {
            let error = ProxyError(
                .noVersion, "the versions asked were taken away before they answered", side: .proxy, isRetrySafe: false)
            try fail(number, error)
            connection.noteAnswered(failed: true)
            return
        }
        // An older version's good answer was better than what a newer one had.
        if case .all = exchange.plan {
        } else if let newest, chosen.version < newest, chosen.verdict == .answer {
            connection.noteNeeded(chosen.version)
        }
        connection.noteAnswered(failed: failed)
        if let original = chosen.original {
            exchanges[number - delivered].outcome = original
        } else {
            exchanges[number - delivered].outcome =
                try adapter.encode(chosen.reply, to: exchange.request, for: exchange.client)
        }
    }

    private mutating func fail(_ number: Int, _ error: ProxyError) throws(ProxyError) {
        let exchange = exchanges[number - delivered]
        let reply = adapter.failure(error, of: exchange.request)
        exchanges[number - delivered].outcome = try adapter.encode(reply, to: exchange.request, for: exchange.client)
    }

    /// Sends what is decided, as far as the order of requests allows.
    private mutating func deliver(_ connection: inout ConnectionHandler) {
        while let outcome = exchanges.first?.outcome {
            connection.enqueueClient(outcome)
            exchanges.removeFirst()
            delivered += 1
        }
    }

    // MARK: Versions that come and go

    public mutating func versionLost(_ version: Version, _ connection: inout ConnectionHandler) {
        let numbers = owed.removeValue(forKey: version) ?? []
        let isListed = connection.versions.contains(version)
        for number in numbers {
            let index = number - delivered
            if isListed {
                let error = ProxyError(
                    .noVersion, "version \(version) was lost before it answered; whether it did the request is unknown",
                    side: .version, isRetrySafe: false)
                let reply = adapter.failure(error, of: exchanges[index].request)
                exchanges[index].answers.append(
                    Conversation.Answer(version: version, reply: reply, original: nil, verdict: .failure))
            }
            exchanges[index].awaited.removeAll { $0 == version }
        }
        for number in numbers { advanceOrClose(number, &connection) }
    }

    /// A version that is no longer listed owes nothing: what it was asked is decided by the others.
    public mutating func versionsChanged(_ connection: inout ConnectionHandler) {
        for version in owed.keys.sorted() where !connection.versions.contains(version) {
            versionLost(version, &connection)
        }
    }

    private mutating func advanceOrClose(_ number: Int, _ connection: inout ConnectionHandler) {
        guard number >= delivered else { return }
        do throws(ProxyError) {
            try advance(number, &connection)
        } catch {
            // The adapter cannot even word the failure: the client learns of it by the end of its connection.
            connection.closeClient()
        }
    }
}
