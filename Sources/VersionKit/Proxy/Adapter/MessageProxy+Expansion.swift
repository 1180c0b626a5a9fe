public import DequeModule
public import NIOCore
public import VersionKitModel
public import VersionKitWire

/// The way back from runs to exchanges, when something is unusual.
extension MessageProxy {
    /// Turns all runs into exchanges, in the state that they would be in if they had been parsed in the first place.
    @inlinable
    mutating func expand(_ connection: inout ConnectionHandler) {
        guard !runs.isEmpty else { return }
        let old = runs
        runs = []
        started = old.first { !$0.isStarted }?.first ?? old.last?.end ?? delivered
        let isShared = old[0].isShared
        var early: [(version: Version, bytes: ByteBuffer)] = []
        for run in old {
            for index in lanes.indices { replaceOwed(run, in: index) }
            append(run, connection)
            guard run.outcome == nil else { continue }
            for answer in run.answers where answer.count > 0 { early.append((answer.version, answer.bytes)) }
        }
        // What had come already is answered now, in the order in which each version sent it.
        for (version, bytes) in early { answer(bytes, from: version, isShared, &connection) }
        deliver(&connection)
        startReady(&connection)
    }

    /// The version owes each reply by itself from now on.
    @inlinable
    func numbers(of run: Run) -> Range<Int> { (run.first + run.delivered)..<run.end }

    @inlinable
    mutating func replaceOwed(_ run: Run, in lane: Int) {
        guard run.isStarted, run.outcome == nil, lanes[lane].isShared == run.isShared,
            run.solo.map({ $0 == lanes[lane].version }) ?? versionsAsked(run).contains(lanes[lane].version)
        else { return }
        lanes[lane].owed.removeAll { $0 == run.first }
        lanes[lane].owed.append(contentsOf: numbers(of: run))
    }

    @inlinable
    func versionsAsked(_ run: Run) -> [Version] { run.solo.map { [$0] } ?? run.answers.map(\.version) }

    @inlinable
    mutating func append(_ run: Run, _ connection: ConnectionHandler) {
        var bytes = PeekBuffer(run.original)
        if run.isOrdered, run.outcome == nil { shared[run.first] = run.count - run.delivered }
        for number in run.first..<run.end {
            var parsed: Adapter.Request?
            do throws(ProxyError) {
                parsed = try adapter.parseRequest(&bytes, from: run.client)
            } catch {
                preconditionFailure("an adapter glanced at a request that it cannot parse: \(error)")
            }
            guard var request = parsed else {
                preconditionFailure("an adapter glanced at a request that it finds incomplete")
            }
            let original = bytes.consume(bytes.peekedBytes)
            guard number >= run.first + run.delivered else { continue }
            var context = DispatchContext(
                versions: run.versions, milliseconds: connection.milliseconds, session: session)
            let dispatch = adapter.dispatch(&request, &context)
            var exchange = Conversation(
                request, from: run.client, original: original, plan: plan(dispatch, run, connection))
            if run.isOrdered, run.outcome == nil {
                exchange.ticket = run.first
                exchange.isGranted = run.isGranted
            }
            if let outcome = run.outcome {
                // The first one's outcome is that of all.
                exchange.outcome = number == run.first ? outcome : ByteBuffer()
            } else if run.isStarted {
                exchange.awaited = versionsAsked(run)
            }
            exchanges.append(exchange)
        }
    }

    @inlinable
    func plan(
        _ dispatch: Dispatch<Adapter.Reply>, _ run: Run, _ connection: ConnectionHandler
    ) -> Conversation.Plan {
        guard run.outcome == nil else { return .decided }
        switch plan(dispatch, run.versions) {
        case .single(let version) where run.solo == version: return .single(version)
        case .inTurn where !run.isOrdered:
            return .inTurn(next: run.isStarted ? connection.readable.filter { $0 != run.solo } : [])
        case .all(let keys, let missed) where run.isOrdered: return .all(keys, missed)
        default: preconditionFailure("an adapter's quick look at a request said something else than its dispatch")
        }
    }

    /// Replies that came while their requests were in a run.
    @inlinable
    mutating func answer(
        _ bytes: ByteBuffer, from version: Version, _ isShared: Bool, _ connection: inout ConnectionHandler
    ) {
        // They were counted when they came.
        let counted = connection.sharedReplies
        defer { connection.noteSharedReplies(counted - connection.sharedReplies) }
        var data = PeekBuffer(bytes)
        do throws(ProxyError) {
            while data.count > 0, lane(of: version, isShared: isShared) != nil {
                let used = try handleReply(from: version, isShared: isShared, &data, &connection)
                precondition(used > 0, "an adapter glanced at a reply that it finds incomplete")
                data.consume(used)
            }
        } catch {
            preconditionFailure("an adapter glanced at a reply that it cannot parse: \(error)")
        }
    }
}
