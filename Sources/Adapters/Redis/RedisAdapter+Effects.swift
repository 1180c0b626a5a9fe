public import VersionKit

/// What a command does to the keys.
struct CommandEffect {
    /// The greater one counts for a whole transaction.
    enum Kind: Comparable { case read, write, lead }

    var kind: Kind
    var keys = Keys.none

    /// What is done with it when several versions run.
    func dispatch(missed: Dispatch<RespReply>.Missed) -> Dispatch<RespReply> {
        switch kind {
        case .read: .newestFirst
        case .write: .all(keys, missed: missed)
        case .lead: .lead(keys)
        }
    }
}

extension RedisAdapter {
    /// The key that stands for all libraries of functions: no database has this number.
    static let functions = ByteBuffer(key: ByteBuffer(string: "functions"), in: .max)

    /// What an `XADD` or `XTRIM` says before the entry. What is trimmed about a length (`~`) depends on how a server keeps
    /// its streams.
    private static let trimming = ["nomkstream": 0, "maxlen": 1, "minid": 1, "limit": 1]

    func effect(of request: RespRequest, in database: UInt16) -> CommandEffect {
        guard let policy = request.policy, let command = request.command else { return CommandEffect(kind: .read) }
        // What most writes are: they need no list.
        if policy == .write, let only = command.onlyKey {
            return CommandEffect(kind: .write, keys: .key(ByteBuffer(key: request[only], in: database)))
        }
        var keys = command.keys(of: request).map { ByteBuffer(key: $0, in: database) }
        var kind = CommandEffect.Kind.write
        switch policy {
        case .everything: return CommandEffect(kind: .write, keys: .everything)
        case .functions: keys = [Self.functions]
        case .read, .cursor: kind = .read
        case .lead, .evaluates: kind = .lead
        case .appends:
            let options = request.options(from: 2, Self.trimming)
            kind = options.map { !$0.names.contains("~") && !request.matches($0.end, "*") } ?? false ? .write : .lead
        case .stores: kind = keys.count > 1 ? .lead : .read
        case .moves:
            // MOVE key database; COPY source destination [DB database]
            let isMove = request.matches(0, "move")
            let place = isMove ? 2 : request.index(of: "db", from: 3).map { $0 + 1 }
            if let place, let other = request.integer(place) {
                keys.append(ByteBuffer(key: request[isMove ? 1 : 2], in: UInt16(clamping: other)))
            }
        default: break
        }
        return CommandEffect(kind: kind, keys: Keys(keys))
    }

    /// What a command did by chance, as a command that does it again: keys may be large, and this is not.
    public func effect(of request: RespRequest, reply: RespReply) -> Effect<RespRequest> {
        guard !reply.isError else { return .nothing }
        switch request.command?.name {
        case "spop":
            let names = (request.count > 2 ? reply.elements : [reply]).compactMap(\.content)
            return names.isEmpty ? .nothing : .request(RespRequest(["SREM".respWord, request[1]] + names))
        case "xadd":
            guard let id = reply.content, let options = request.options(from: 2, Self.trimming),
                !options.names.contains("~"), request.matches(options.end, "*")
            else { return .copy }
            var added = request
            added.rewrite { $0[options.end] = id }
            return .request(added)
        default: return .copy
        }
    }
}
