public import VersionKit

extension RedisAdapter {
    public func dispatch(
        _ request: inout RespRequest, _ context: inout DispatchContext<RedisSession>
    ) -> Dispatch<RespReply> {
        guard let number = request.commandNumber else {
            return refuse(&context, .refusal("unknown command '\(String(buffer: request[0]).prefix(64))'"))
        }
        let command = commands.commands[number]
        let policy = roles[number].policy
        guard command.takes(request.count) else {
            return refuse(&context, RespReply(line: "-ERR wrong number of arguments for '\(command.name)' command"))
        }
        let isQueued = context.session.transaction != nil && policy.isQueued && command.name != "reset"
        if let reason = reasonToRefuse(request, command, isQueued: isQueued) {
            return refuse(&context, .refusal("\(command.name.uppercased().replacing("|", with: " ")) \(reason)"))
        }
        if isQueued {
            guard context.session.transaction?.append(request) == true else {
                return refuse(&context, .refusal("a transaction of more than \(RespLimits.bulkBytesMax) bytes"))
            }
            return .answer(RespReply(line: "+QUEUED"))
        }
        switch policy {
        case .read: return .newestFirst
        case .multi, .exec, .discard: return transact(policy, &request, &context)
        case .quit: return .answerAndClose(RespReply(line: "+OK"))
        case .session:
            context.session.transaction = nil
            return .session
        case .watch:
            // Whatever this connection still watches from before is none of the client's.
            if !context.session.isWatching { request.precede(with: [RespRequest("UNWATCH")]) }
            return .session
        case .cursor: return resume(&request, context.versions)
        default:
            // One version alone needs neither order nor common times.
            guard context.versions.count > 1 else { return .all(.none) }
            request.makeExpiryAbsolute(context.milliseconds)
            return effect(of: request, in: context.session.database).dispatch(missed: .replay)
        }
    }

    // MARK: Refusals

    /// Why a request reaches no version, or `nil`.
    private func reasonToRefuse(_ request: RespRequest, _ command: RespCommand, isQueued: Bool) -> String? {
        switch request.policy {
        case .channels: "is not supported: messages of channels do not pass through the proxy"
        case .operators: "is not supported: it is about one server, so send it there"
        case .evaluates where command.keys(of: request).isEmpty:
            "must declare the keys that it uses; a script that only reads can use its _RO form"
        case .session where isQueued, .watch where isQueued, .cursor where isQueued: "is not supported inside MULTI"
        case _ where command.flags.contains(.blocks) && mightWait(request, isQueued: isQueued):
            "might block, which is not supported: ask without waiting"
        default: nil
        }
    }

    /// Reading streams waits only if it says so; the other commands that may wait always do, but never in a transaction.
    private func mightWait(_ request: RespRequest, isQueued: Bool) -> Bool {
        guard request.matches(0, "xread") || request.matches(0, "xreadgroup") else { return !isQueued }
        // A group called like the word before the keys, where the server's own table does not expect one, hides them.
        guard let options = request.options(from: 1, ["group": 2, "count": 1, "block": 1, "noack": 0]),
            options.end == request.index(of: "streams", from: request.matches(0, "xread") ? 1 : 4)
        else { return true }
        return !isQueued && options.names.contains("block")
    }

    /// A command that is refused spoils its transaction.
    private func refuse(_ context: inout DispatchContext<RedisSession>, _ reply: RespReply) -> Dispatch<RespReply> {
        context.session.transaction?.isBroken = true
        return .answer(reply)
    }

    // MARK: Cursors

    /// A cursor means something only to the version that gave it: its last two digits say which.
    private func resume(_ request: inout RespRequest, _ versions: VersionList) -> Dispatch<RespReply> {
        let place = request.matches(0, "scan") ? 1 : 2
        let cursor = String(buffer: request[place])
        guard cursor != "0" else { return .newestFirst }
        guard let tagged = VersionTag(cursor) else { return .answer(RespReply(line: "-ERR invalid cursor")) }
        guard let version = tagged.version(among: versions) else {
            let reason = "the version that began this scan does not run any more; begin again with cursor 0"
            return .answer(.refusal(reason))
        }
        request.rewrite { $0[place] = tagged.number.respWord }
        return .only(version)
    }

    /// A reply of a scan with the cursor that the client gets.
    func tagged(_ reply: RespReply, _ version: Version) -> RespReply {
        let elements = reply.elements
        guard elements.count == 2, elements[0].content != nil, elements[0].text != "0" else { return reply }
        return RespReply(array: [RespReply(bulk: VersionTag.text(elements[0].text, from: version)), elements[1]])
    }
}
