public import VersionKit

/// The quick look at requests and replies: nearly all of the traffic needs no more.
extension RedisAdapter {
    public func glance(at bytes: inout PeekBuffer, from client: Version, in session: RedisSession) -> Glance? {
        guard session.transaction == nil else { return .unusual }
        return commands.glance(at: &bytes, by: glances, in: session.database)
    }

    public func sharesConnections(_ session: RedisSession) -> Bool { session.isFresh }

    /// What is said of a command, by what is done with it; of the others nothing.
    private static let ways: [CommandPolicy: RespGlance.Way] = [
        .read: .read, .write: .write, .lead: .other, .stores: .other, .moves: .other, .appends: .other,
        .everything: .other,
    ]

    static let glances = RespCommandTable.redis.commands.map { command in
        let roles = CommandRoles(command)
        // What is about the client's connection has to be asked on the client's own.
        let isOwn = command.flags.contains(.blocks) || command.name.hasPrefix("client|")
        // What else a SET says may be for how long the key is to live.
        let plainCountMax = roles.expiry == nil ? Int.max : roles.expiry == .set ? 3 : 0
        return RespGlance(command, isOwn ? .unusual : ways[roles.policy] ?? .unusual, plainCountMax: plainCountMax)
    }
}
