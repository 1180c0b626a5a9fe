import VersionKit

/// What a client's connection to a Redis has set up.
public struct RedisSession: Sendable {
    /// The number of the selected database.
    var database: UInt16 = 0
    /// Requests that set the connection up, in order: who the client is, its protocol, its name, its database.
    private var setup: [RespRequest] = []
    /// The transaction that was begun and not executed yet.
    var transaction: RespTransaction?
    /// Whether a `WATCH` is in force.
    var isWatching = false
    /// Whether one may still be in force on some connection.
    private var hasWatched = false

    /// Whether a new connection to a server is in this session.
    var isFresh: Bool { setup.isEmpty && transaction == nil && !isWatching && !hasWatched && database == 0 }

    /// A request with ``Dispatch/session`` was done.
    mutating func settle(_ request: RespRequest) {
        switch request.command?.name {
        case "reset": self = RedisSession()
        case "watch": (isWatching, hasWatched) = (true, true)
        case "unwatch": (isWatching, hasWatched) = (false, false)
        case let name:
            if name == "select", let number = request.integer(1) { database = UInt16(clamping: number) }
            // What an earlier one said is overruled if this one says as much.
            let old = setup.firstIndex { $0.commandNumber == request.commandNumber && $0.count <= request.count }
            if let old { setup[old] = request.detached } else { setup.append(request.detached) }
        }
    }

    /// What brings a client's connection to a newer proxy into this session.
    var resumption: [RespRequest] {
        guard let transaction else { return greeting }
        // One that is broken stays so: a command without a name is refused.
        let queued = transaction.isBroken ? [RespRequest("")] : transaction.requests
        return greeting + [RespRequest("MULTI")] + queued
    }

    /// What brings any connection into this session.
    var greeting: [RespRequest] {
        // A WATCH on a connection that was lost may have missed a change: its transaction must not be executed. A key
        // that is watched and changed sees to it.
        let mark = "versionkit:lost-watch"
        let spoiled = [RespRequest("WATCH", mark), RespRequest("SET", mark, ""), RespRequest("DEL", mark)]
        return [RespRequest("RESET")] + setup + (hasWatched ? spoiled : [])
    }
}
