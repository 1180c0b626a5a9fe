import VersionKit

extension CommandPolicy {
    /// Whether a command waits for `EXEC` in a transaction.
    var isQueued: Bool { ![.multi, .exec, .discard, .quit].contains(self) }
}

extension RedisAdapter {
    /// `MULTI`, `EXEC` or `DISCARD`.
    func transact(
        _ policy: CommandPolicy, _ request: inout RespRequest, _ context: inout DispatchContext<RedisSession>
    ) -> Dispatch<RespReply> {
        guard let transaction = context.session.transaction else {
            let name = policy.rawValue.uppercased()
            guard policy == .multi else { return .answer(RespReply(line: "-ERR \(name) without MULTI")) }
            context.session.transaction = RespTransaction()
            return .answer(RespReply(line: "+OK"))
        }
        guard policy != .multi else { return .answer(RespReply(line: "-ERR MULTI calls can not be nested")) }
        let isWatching = context.session.isWatching
        context.session.transaction = nil
        context.session.isWatching = false
        // What one that is not executed watched the versions forget before the next one.
        guard policy == .exec else { return .answer(RespReply(line: "+OK")) }
        guard !transaction.isBroken else {
            return .answer(RespReply(line: "-EXECABORT Transaction discarded because of previous errors."))
        }
        var requests = transaction.requests
        if context.versions.count > 1 {
            for index in requests.indices { requests[index].makeExpiryAbsolute(context.milliseconds) }
        }
        request.precede(with: (isWatching ? [] : [RespRequest("UNWATCH")]) + [RespRequest("MULTI")] + requests)
        let effects = requests.map { effect(of: $0, in: context.session.database) }
        let writes = effects.filter { $0.kind != .read }
        let whole = CommandEffect(kind: writes.map(\.kind).max() ?? .read, keys: Keys(joining: writes.map(\.keys)))
        // It is more than one request, and what it watched means nothing on another connection.
        return whole.dispatch(missed: .copy)
    }
}
