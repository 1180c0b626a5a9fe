public import VersionKit

extension RedisAdapter {
    public func dispatch(
        _ request: inout RedisRequest, _ context: inout DispatchContext<RedisSession>
    ) -> Dispatch<RedisReply> {
        let isQueued = context.session.transaction != nil
        let command: RedisCommand
        do throws(Refusal) {
            command = try accept(request, isQueued: isQueued, context.session)
        } catch {
            context.session.transaction?.isBroken = true
            return .answer(error.reply)
        }
        if isQueued, ![.multi, .exec, .discard, .quit].contains(command.policy), command.name != "reset" {
            context.session.transaction?.append(request)
            return .answer(RedisReply(line: "+QUEUED"))
        }
        switch command.policy {
        case .read: return .newestFirst
        case .multi:
            guard !isQueued else { return .answer(RedisReply(line: "-ERR MULTI calls can not be nested")) }
            context.session.transaction = RedisSession.Transaction()
            return .answer(RedisReply(line: "+OK"))
        case .discard:
            guard isQueued else { return .answer(RedisReply(line: "-ERR DISCARD without MULTI")) }
            return discard(&context, "+OK")
        case .exec:
            guard let transaction = context.session.transaction else {
                return .answer(RedisReply(line: "-ERR EXEC without MULTI"))
            }
            guard !transaction.isBroken else {
                return discard(&context, "-EXECABORT Transaction discarded because of previous errors.")
            }
            return execute(transaction, &request, &context)
        case .quit: return .answer(RedisReply(line: "+OK"))
        case .session:
            context.session.transaction = nil
            return .session
        case .watch:
            // Whatever this connection still watches from before is none of the client's.
            if !context.session.isWatching { request = RedisRequest(request, after: [RedisRequest("UNWATCH")]) }
            return .session
        case .cursor: return resume(&request, context.versions)
        default:
            // One version alone needs neither order nor common times.
            guard context.versions.count > 1 else { return .all(.none) }
            request.makeExpiryAbsolute(context.milliseconds)
            let effect = effect(of: request, command, in: context.session.database)
            switch effect.kind {
            case .read: return .newestFirst
            case .write: return .all(effect.keys)
            case .lead: return .lead(effect.keys)
            }
        }
    }

    // MARK: Transactions

    private func execute(
        _ transaction: RedisSession.Transaction, _ request: inout RedisRequest,
        _ context: inout DispatchContext<RedisSession>
    ) -> Dispatch<RedisReply> {
        var requests = transaction.requests
        var kind = CommandEffect.Kind.read
        var names: [ByteBuffer] = []
        var isEverything = false
        var compared: [Bool] = []
        for index in requests.indices {
            guard let command = requests[index].command else { continue }
            if context.versions.count > 1 { requests[index].makeExpiryAbsolute(context.milliseconds) }
            let effect = effect(of: requests[index], command, in: context.session.database)
            kind = max(kind, effect.kind)
            compared.append(effect.kind == .write)
            guard effect.kind != .read else { continue }
            if let keys = effect.keys.names { names += keys } else { isEverything = true }
        }
        let isWatching = context.session.isWatching
        context.session.transaction = nil
        context.session.isWatching = false
        let before = (isWatching ? [] : [RedisRequest("UNWATCH")]) + [RedisRequest("MULTI")]
        request = RedisRequest(
            RedisRequest([request[0]], request.command), after: before + requests, compared: compared)
        let keys = isEverything ? .everything : Keys(names)
        switch kind {
        case .read: return .newestFirst
        // It is more than one request, and what it watched means nothing on another connection.
        case .write: return .all(keys, missed: .copy)
        case .lead: return .lead(keys)
        }
    }

    /// Ends a transaction that is not executed. What it watched the versions forget before the next one.
    private func discard(
        _ context: inout DispatchContext<RedisSession>, _ reply: String
    ) -> Dispatch<RedisReply> {
        context.session.transaction = nil
        context.session.isWatching = false
        return .answer(RedisReply(line: reply))
    }

    // MARK: Cursors

    /// A cursor means something only to the version that gave it: its last two digits say which.
    private func resume(_ request: inout RedisRequest, _ versions: VersionList) -> Dispatch<RedisReply> {
        let place = request.matches(0, "scan") ? 1 : 2
        let cursor = String(buffer: request[place])
        guard cursor != "0" else { return .newestFirst }
        guard cursor.utf8.count > 2, let tag = UInt32(cursor.suffix(2)), UInt64(cursor.dropLast(2)) != nil else {
            return .answer(RedisReply(line: "-ERR invalid cursor"))
        }
        guard let version = versions.last(where: { $0.number % 100 == tag }) else {
            return .answer(.error("the version that began this scan does not run any more; begin again with cursor 0"))
        }
        request.rewrite { $0[place] = ByteBuffer(string: String(cursor.dropLast(2))) }
        return .only(version)
    }

    /// A reply of a scan with the cursor that the client gets.
    func tagged(_ reply: RedisReply, _ version: Version) -> RedisReply {
        let elements = reply.elements
        guard elements.count == 2, let text = RedisReply.content(elements[0]), text != ByteBuffer(string: "0") else {
            return reply
        }
        let tag = version.number % 100
        let cursor = String(buffer: text) + (tag < 10 ? "0" : "") + String(tag)
        var bytes = ByteBuffer(string: "*2\r\n$\(cursor.utf8.count)\r\n\(cursor)\r\n")
        bytes.writeImmutableBuffer(elements[1])
        return RedisReply(bytes, kind: reply.kind, start: 0, isRewritten: true)
    }
}
