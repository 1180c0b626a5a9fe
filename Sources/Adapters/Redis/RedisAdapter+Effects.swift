public import VersionKit

/// What a command does to the keys.
struct CommandEffect {
    /// The greater one counts for a whole transaction.
    enum Kind: Int, Comparable {
        case read, write, lead

        static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
    }

    var kind: Kind
    var keys: Keys
}

/// Why a request reaches no version.
struct Refusal: Error {
    var reply: RedisReply

    init(reply: RedisReply) { self.reply = reply }
    init(_ text: String) { reply = .error(text) }
    init(_ command: RedisCommand, _ text: String) {
        self.init("\(command.name.uppercased().replacing("|", with: " ")) \(text)")
    }
}

extension RedisAdapter {
    /// The library's name for a key of a database: the database's number comes first.
    static func key(_ name: ByteBuffer, in database: Int) -> ByteBuffer {
        var key = ByteBuffer()
        key.reserveCapacity(2 + name.readableBytes)
        key.writeInteger(UInt16(truncatingIfNeeded: database))
        key.writeImmutableBuffer(name)
        return key
    }

    /// The key that stands for all libraries of functions: no database has this number.
    static let functions = key(ByteBuffer(string: "functions"), in: Int(UInt16.max))

    func effect(of request: RedisRequest, _ command: RedisCommand, in database: Int) -> CommandEffect {
        if command.policy == .everything { return CommandEffect(kind: .write, keys: .everything) }
        if command.policy == .functions { return CommandEffect(kind: .write, keys: .key(Self.functions)) }
        var keys = command.keys(of: request).map { Self.key($0, in: database) }
        var kind = CommandEffect.Kind.write
        switch command.policy {
        case .lead, .evaluates: kind = .lead
        case .appends: kind = request.index(of: "*", from: 2) == nil ? .write : .lead
        case .stores: kind = keys.count > 1 ? .lead : .read
        case .moves:
            let place = request.matches(0, "move") ? 2 : (request.index(of: "db", from: 3) ?? -2) + 1
            if let other = request.integer(place) {
                keys.append(Self.key(request[request.matches(0, "move") ? 1 : 2], in: Int(other)))
            }
        case .read, .cursor: kind = .read
        default: break
        }
        return CommandEffect(kind: kind, keys: Keys(keys))
    }

    /// What a command did by chance, as a command that does it again: keys may be large, and this is not.
    public func effect(of request: RedisRequest, reply: RedisReply) -> Effect<RedisRequest> {
        guard !reply.isError else { return .nothing }
        switch request.command?.name {
        case "spop":
            let members = request.count > 2 ? reply.elements : [reply.value]
            let names = members.compactMap(RedisReply.content)
            guard !names.isEmpty else { return .nothing }
            return .request(RedisRequest([ByteBuffer(string: "SREM"), request[1]] + names))
        case "xadd":
            // What is trimmed about a length depends on how a server keeps its streams.
            guard let id = RedisReply.content(reply.value), let place = request.index(of: "*", from: 2),
                request.index(of: "~", from: 2) == nil
            else { return .copy }
            var added = request
            added.rewrite { $0[place] = id }
            return .request(added)
        default: return .copy
        }
    }

    /// The command that a request asks for, or why it is not done.
    func accept(_ request: RedisRequest, isQueued: Bool, _ session: RedisSession) throws(Refusal) -> RedisCommand {
        guard let command = request.command else {
            throw Refusal("unknown command '\(String(buffer: request[0]).prefix(64))'")
        }
        guard command.arity < 0 ? request.count >= -command.arity : request.count == command.arity else {
            throw Refusal(reply: RedisReply(line: "-ERR wrong number of arguments for '\(command.name)' command"))
        }
        switch command.policy {
        case .channels:
            throw Refusal(command, "is not supported: messages of channels do not pass through the proxy")
        case .operators:
            throw Refusal(command, "is not supported: it is about one server, so send it there")
        case .evaluates where command.keys(of: request).isEmpty:
            throw Refusal(command, "must declare the keys that it uses; a script that only reads can use its _RO form")
        case .session where isQueued && command.name != "reset", .watch where isQueued, .cursor where isQueued:
            throw Refusal(command, "is not supported inside MULTI")
        default: break
        }
        if !isQueued, mayWait(request, command) {
            throw Refusal(command, "would block, which is not supported: ask without waiting")
        }
        if let transaction = session.transaction, transaction.size > RespLimits.bulkBytesMax {
            throw Refusal("a transaction of more than \(RespLimits.bulkBytesMax) bytes")
        }
        return command
    }

    private func mayWait(_ request: RedisRequest, _ command: RedisCommand) -> Bool {
        // Reading streams waits only if it says so; the others always do, whatever their keys are called.
        guard command.mayBlock, command.name.hasPrefix("xread"), let streams = request.index(of: "streams", from: 1)
        else { return command.mayBlock }
        return request.index(of: "block", from: 1).map { $0 < streams } ?? false
    }
}
