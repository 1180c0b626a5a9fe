public import VersionKit

/// The quick look at requests and replies: nearly all of the traffic needs no more.
extension RedisAdapter {
    public func glance(at bytes: inout PeekBuffer, from client: Version, in session: RedisSession) -> Glance? {
        guard session.transaction == nil else { return .unusual }
        return commands.glance(at: &bytes) { command, count, second in
            let role = roles[command]
            guard role.arity < 0 ? count >= -role.arity : count == role.arity else { return .unusual }
            switch role.way {
            case .read: return .read
            // With more words it has options, which may say for how long a key is to live.
            case .write where count <= role.plainCountMax: return .write(Self.mark(second, in: session.database))
            case .write, .other: return .other
            case .unusual: return .unusual
            }
        }
    }

    public func glanceReply(at bytes: inout PeekBuffer, from version: Version) -> Bool? { RespReply.glance(at: &bytes) }

    public func sharesConnections(_ session: RedisSession) -> Bool { session.isFresh }

    /// What writes to a key of a database are ordered by.
    private static func mark(_ name: UnsafeRawBufferPointer, in database: Int) -> KeyMark {
        var mark = KeyMark()
        mark.combine(CollectionOfOne(UInt8(truncatingIfNeeded: database >> 8)))
        mark.combine(CollectionOfOne(UInt8(truncatingIfNeeded: database)))
        mark.combine(name)
        return mark
    }
}

extension CommandRoles {
    /// What a quick look can say of a command.
    enum Way { case read, write, other, unusual }

    /// What a quick look can say of this one.
    static func way(_ command: RespCommand, _ policy: CommandPolicy) -> Way {
        guard !command.flags.contains(.blocks) else { return .unusual }
        return switch policy {
        case .read: .read
        case .write: command.onlyKey == 1 ? .write : .other
        case .lead, .stores, .moves, .appends, .everything: .other
        default: .unusual
        }
    }
}
