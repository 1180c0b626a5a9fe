public import DequeModule
public import NIOCore
public import VersionKitModel
public import VersionKitWire

/// Answers of versions, and what the client gets out of them.
extension MessageProxy {
    @inlinable
    public mutating func handleReply(
        from version: Version, _ data: inout PeekBuffer, _ connection: inout ConnectionHandler
    ) throws(ProxyError) -> Int {
        try handleReply(from: version, isShared: false, &data, &connection)
    }

    @inlinable
    public mutating func handleSharedReply(
        from version: Version, _ data: inout PeekBuffer, _ connection: inout ConnectionHandler
    ) throws(ProxyError) -> Int {
        try handleReply(from: version, isShared: true, &data, &connection)
    }

    @inlinable
    mutating func handleReply(
        from version: Version, isShared: Bool, _ data: inout PeekBuffer, _ connection: inout ConnectionHandler
    ) throws(ProxyError) -> Int {
        guard let lane = lane(of: version, isShared: isShared), let number = lanes[lane].owed.first else {
            throw .malformedReply("version \(version) sent \(data.count) bytes that nobody asked for")
        }
        if number == Lane<Adapter.Request>.greeting { return try handleGreeting(lane, &data) }
        if !runs.isEmpty { return try handleRunReply(lane, &data, &connection) }
        // An exchange that failed early is answered, and its late replies are for nobody; their framing still counts.
        guard number >= delivered else {
            preconditionFailure("an answered request is still owed a reply by version \(version)")
        }
        let index = number - delivered
        let parsed =
            if let effect = exchanges[index].effect {
                try adapter.parseReply(&data, to: effect, from: version)
            } else {
                try adapter.parseReply(&data, to: exchanges[index].request, from: version)
            }
        guard let reply = parsed else { return 0 }
        let length = data.peekedBytes
        precondition(length > 0, "an adapter parsed a reply of no bytes")
        lanes[lane].owed.removeFirst()
        connection.noteSharedReplies(1)
        let isForwarded = adapter.forwards(
            reply, to: exchanges[index].request, from: version, for: exchanges[index].client)
        receive(reply, isForwarded ? data.prefix(length) : nil, from: version, to: number, &connection)
        return length
    }

    @inlinable
    mutating func handleGreeting(_ lane: Int, _ data: inout PeekBuffer) throws(ProxyError) -> Int {
        guard let request = lanes[lane].greetings.first else { preconditionFailure("a greeting without a request") }
        let version = lanes[lane].version
        guard let reply = try adapter.parseReply(&data, to: request, from: version) else { return 0 }
        let verdict = adapter.judge(reply)
        guard verdict != .failure, verdict != .rejection else {
            throw .malformedReply("version \(version) does not accept the session of this client")
        }
        lanes[lane].owed.removeFirst()
        lanes[lane].greetings.removeFirst()
        return data.peekedBytes
    }

    @inlinable
    mutating func receive(
        _ reply: Adapter.Reply, _ original: ByteBuffer?, from version: Version, to number: Int,
        _ connection: inout ConnectionHandler
    ) {
        let index = number - delivered
        let verdict = adapter.judge(reply)
        if case .single = exchanges[index].plan {
            connection.noteAnswered(failed: verdict == .failure)
            if number == delivered, silentReplies == 0, let original {
                // Most replies go this way: it is the client's turn for just these bytes.
                connection.enqueueClient(original)
                exchanges.removeFirst()
                delivered += 1
                deliver(&connection)
                return startReady(&connection)
            }
            exchanges[index].awaited = []
            if let original {
                exchanges[index].outcome = original
            } else {
                decide(number, reply, &connection)
            }
            return conclude(number, &connection)
        }
        let answer = Conversation.Answer(version: version, reply: reply, original: original, verdict: verdict)
        exchanges[index].awaited.removeAll { $0 == version }
        exchanges[index].answers.append(answer)
        advance(number, &connection)
    }

    /// Asks the next version, or settles the exchange, if nobody else owes it an answer.
    @inlinable
    mutating func advance(_ number: Int, _ connection: inout ConnectionHandler) {
        let index = number - delivered
        guard exchanges[index].awaited.isEmpty else { return }
        let answers = exchanges[index].answers
        switch exchanges[index].plan {
        case .single, .decided: break
        case .inTurn(var next):
            if answers.last?.verdict != .answer, answers.last?.verdict != .rejection {
                while let version = next.popLast() {
                    guard connection.readable.contains(version) else { continue }
                    exchanges[index].plan = .inTurn(next: next)
                    return ask(number, [version], &connection)
                }
            }
            settleRead(
                number, answers.last { $0.verdict == .answer || $0.verdict == .rejection } ?? best(answers), &connection
            )
        case .choose:
            // An answer of a version that missed something meanwhile is as good as none.
            let current = answers.filter { connection.isCurrent($0.version) }
            let good = (current.isEmpty ? answers : current).filter { $0.verdict == .answer }
                .sorted { connection.versions.rank(of: $0.version) < connection.versions.rank(of: $1.version) }
            guard good.count > 1 else { return settleRead(number, good.first ?? best(answers), &connection) }
            let picked = adapter.choose(good.map { ($0.version, $0.reply) }, to: exchanges[index].request)
            precondition(good.indices.contains(picked), "an adapter chose a reply that is not there")
            settleRead(number, good[picked], &connection)
        case .custom(let strategy, let steps): step(number, strategy, steps, &connection)
        case .session: settleSession(number, &connection)
        case .all(let keys, let missed): settleWrite(number, keys, missed, &connection)
        case .lead(let keys): settleLead(number, keys, &connection)
        case .follow(let keys, let leader): settleFollow(number, keys, leader, &connection)
        }
    }

    /// Of answers none of which is good: what a version said is better than what the framework says for it.
    @inlinable
    func best(_ answers: [Conversation.Answer]) -> Conversation.Answer? {
        answers.last { $0.verdict == .miss } ?? answers.last { !$0.isLost } ?? answers.last
    }

    @inlinable
    mutating func step(
        _ number: Int, _ strategy: Strategy<Adapter.Reply>, _ steps: Int, _ connection: inout ConnectionHandler
    ) {
        let answers = exchanges[number - delivered].answers.filter { !$0.isLost }
        guard steps < limits.strategyStepsMax else {
            let error = ProxyError(
                .limitExceeded, "a strategy of \(steps) steps came to no end", side: .proxy, isRetrySafe: false)
            return fail(number, error, &connection)
        }
        exchanges[number - delivered].plan = .custom(strategy, steps: steps + 1)
        let readable = VersionList(connection.readable)
        switch strategy.next(readable, answers.map { ($0.version, $0.reply) }) {
        case .ask(let versions): ask(number, Array(VersionList(versions.filter(readable.contains))), &connection)
        case .give(let index):
            precondition(answers.indices.contains(index), "a strategy gave a reply that is not there")
            settleRead(number, answers[index], &connection)
        case .answer(let reply):
            decide(number, reply, &connection)
            connection.noteAnswered(failed: adapter.judge(reply) == .failure)
            conclude(number, &connection)
        }
    }

    @inlinable
    mutating func settleRead(
        _ number: Int, _ chosen: Conversation.Answer?, _ connection: inout ConnectionHandler
    ) {
        guard let chosen else {
            let error = ProxyError(
                .noVersion, "the versions asked were taken away before they answered", side: .proxy, isRetrySafe: true)
            return fail(number, error, &connection)
        }
        // The good answer of a version that is to go was better than what the one that stays had.
        let versions = connection.versions
        if let heir = versions.max(by: { versions.rank(of: $0) < versions.rank(of: $1) }), chosen.version != heir,
            chosen.verdict == .answer, versions.role(of: heir) == .full
        {
            connection.noteNeeded(chosen.version)
        }
        settle(number, with: chosen, failed: chosen.verdict == .failure, &connection)
    }

    /// The client gets this answer.
    @inlinable
    mutating func settle(
        _ number: Int, with chosen: Conversation.Answer, failed: Bool, _ connection: inout ConnectionHandler
    ) {
        if let original = chosen.original {
            exchanges[number - delivered].outcome = original
        } else {
            decide(number, chosen.reply, &connection)
        }
        connection.noteAnswered(failed: failed)
        conclude(number, &connection)
    }
}
