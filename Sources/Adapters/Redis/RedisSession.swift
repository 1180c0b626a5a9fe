import VersionKit

/// What a client's connection to a Redis has set up.
public struct RedisSession: Sendable {
    /// The number of the selected database.
    var database = 0
    /// Requests that set the connection up, in order: who the client is, its protocol, its name, its database.
    private var setup: [RedisRequest] = []
    /// The transaction that was begun and not executed yet.
    var transaction: Transaction?
    /// Whether a `WATCH` is in force.
    var isWatching = false
    /// Whether one may still be in force on some connection.
    private var hasWatched = false

    /// A transaction is kept here until its `EXEC`: the versions get it in one piece, so that it can be ordered with
    /// other writes by all of its keys, and no version is ever in the middle of one.
    struct Transaction: Sendable {
        /// In two levels, since a session is copied with each request.
        private var full: [[RedisRequest]] = []
        private var last: [RedisRequest] = []
        private(set) var size = 0
        /// A command was refused, so none will be executed.
        var isBroken = false

        var requests: [RedisRequest] { full.flatMap(\.self) + last }

        mutating func append(_ request: RedisRequest) {
            last.append(request.detached)
            size += request.bytes.readableBytes + 32
            guard last.count == 256 else { return }
            full.append(last)
            last = []
        }
    }

    /// Whether a new connection to a server is in this session.
    var isFresh: Bool { setup.isEmpty && transaction == nil && !isWatching && !hasWatched && database == 0 }

    /// A request with ``Dispatch/session`` was done.
    mutating func settle(_ request: RedisRequest) {
        switch request.command?.name {
        case "reset": self = RedisSession()
        case "watch": (isWatching, hasWatched) = (true, true)
        case "unwatch": (isWatching, hasWatched) = (false, false)
        default:
            if let number = request.integer(1), request.command?.name == "select" { database = Int(number) }
            // What an earlier one said is overruled if this one says as much.
            let old = setup.firstIndex { $0.command === request.command && $0.count <= request.count }
            if let old { setup[old] = request.detached } else { setup.append(request.detached) }
        }
    }

    /// What brings a client's connection to a newer proxy into this session.
    var resumption: [RedisRequest] {
        guard let transaction else { return greeting }
        // One that is broken stays so: a command without a name is refused.
        let queued = transaction.isBroken ? [RedisRequest("")] : transaction.requests
        return greeting + [RedisRequest("MULTI")] + queued
    }

    /// What brings any connection into this session.
    var greeting: [RedisRequest] {
        // A WATCH on a connection that was lost may have missed a change: its transaction must not be executed. A key
        // that is watched and changed sees to it.
        let mark = "versionkit:lost-watch"
        let spoiled: [RedisRequest] =
            hasWatched ? [.init("WATCH", mark), .init("SET", mark, ""), .init("DEL", mark)] : []
        return [RedisRequest("RESET")] + setup + spoiled
    }
}
