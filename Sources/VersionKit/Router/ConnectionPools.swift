package import VersionKitModel

/// Which connections to peers' routers are open before anybody needs them: one pool for each port of a peer.
///
/// A pool begins when a router answers at its endpoint, and ends when nobody connects there for a while, or with the
/// first sign that the router has gone. So a connection taken from a pool leads to a router, and the application's bytes
/// may follow the header at once. Connections are numbers of the caller's. A value with the clock of its caller; bounded.
///
/// - Note: DESIGN 6.
package struct ConnectionPools: Sendable {
    private struct Pool {
        /// How many connections are to be ready.
        var target = 1
        var lastUse: Duration
        /// Connections that stand, in the order in which they opened, and since when.
        var ready: [(id: Int, since: Duration)] = []
        var opening: Set<Int> = []
        var size: Int { ready.count + opening.count }
    }

    /// What the owner has to do.
    package struct Work: Sendable, Equatable {
        /// Connections to be closed; the pool has forgotten them.
        package var close: [Int] = []
        /// How many connections to open where; ``opening(_:to:)`` follows for each.
        package var open: [Endpoint: Int] = [:]

        /// Nothing.
        package init() {}
    }

    private let perPeerMax: Int
    private let countMax: Int
    private let lifetime: Duration
    private let idleTimeout: Duration
    private var pools: [Endpoint: Pool] = [:]
    /// Connections in all pools, those under way included.
    package private(set) var count = 0

    /// No pools.
    package init(limits: Limits) {
        perPeerMax = limits.pooledConnectionsPerPeerMax
        countMax = limits.pooledConnectionsMax
        // The peer must not take a connection that waits for use for one whose header never comes.
        lifetime = min(limits.pooledConnectionLifetime, limits.headerTimeout / 2)
        idleTimeout = limits.pooledIdleTimeout
    }

    /// How often ``check(at:)`` is to be called; `nil`: not at all, there are no pools.
    package var checkInterval: Duration? { pools.isEmpty ? nil : lifetime / 2 }

    /// Whether a pool is kept for this endpoint.
    package func isKept(for endpoint: Endpoint) -> Bool { pools[endpoint] != nil }

    /// A router answered at this endpoint.
    ///
    /// - Returns: how many connections to open there.
    package mutating func heardRouter(at endpoint: Endpoint, time: Duration) -> Int {
        guard perPeerMax > 0, countMax > 0 else { return 0 }
        if pools[endpoint] == nil { pools[endpoint] = Pool(lastUse: time) }
        return missing(at: endpoint)
    }

    /// Somebody connects to this endpoint: the connection to use, which belongs to the caller from now on; `nil` if none
    /// is ready. Then the pool becomes bigger. Ask ``missing(at:)`` afterwards.
    package mutating func take(to endpoint: Endpoint, time: Duration) -> Int? {
        guard var pool = pools[endpoint] else { return nil }
        pool.lastUse = time
        let taken = pool.ready.popLast()
        if taken == nil { pool.target = min(pool.target * 2, perPeerMax) } else { count -= 1 }
        pools[endpoint] = pool
        return taken?.id
    }

    /// How many connections to open at this endpoint now.
    package func missing(at endpoint: Endpoint) -> Int {
        guard let pool = pools[endpoint] else { return 0 }
        return max(0, min(pool.target - pool.size, countMax - count))
    }

    /// A connection for the pool is being opened.
    package mutating func opening(_ id: Int, to endpoint: Endpoint) {
        guard pools[endpoint]?.opening.insert(id).inserted == true else { return }
        count += 1
    }

    /// It stands.
    ///
    /// - Returns: whether it is wanted; if not, it is the caller's to close.
    package mutating func opened(_ id: Int, to endpoint: Endpoint, time: Duration) -> Bool {
        guard pools[endpoint]?.opening.remove(id) != nil else { return false }
        pools[endpoint]?.ready.append((id, time))
        return true
    }

    /// The peer ended one of the pool's connections, or did not let it open: its router may be gone, and others of its
    /// connections may lead nowhere.
    ///
    /// - Returns: the pool's other connections, for the caller to close.
    package mutating func lost(at endpoint: Endpoint) -> [Int] {
        guard let pool = pools.removeValue(forKey: endpoint) else { return [] }
        count -= pool.size
        return pool.ready.map(\.id) + pool.opening
    }

    /// Replaces connections that waited for long, and ends pools that nobody used for long.
    package mutating func check(at time: Duration) -> Work {
        var work = Work()
        for (endpoint, var pool) in pools {
            if pool.lastUse + idleTimeout <= time {
                work.close += lost(at: endpoint)
                continue
            }
            let old = pool.ready.prefix { $0.since + lifetime <= time }
            guard !old.isEmpty else { continue }
            work.close += old.map(\.id)
            pool.ready.removeFirst(old.count)
            count -= old.count
            // What waited for so long was more than was needed.
            pool.target = max(1, pool.target - old.count / 2)
            pools[endpoint] = pool
        }
        for endpoint in pools.keys {
            let missing = missing(at: endpoint)
            if missing > 0 { work.open[endpoint] = missing }
        }
        return work
    }
}
