package import Glibc

/// How many files a process may have open.
package enum FileLimit {
    /// What a program needs besides, connections that a relay keeps ready among it.
    private static let others: rlim_t = 4000
    private static let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))

    /// Raises it as far as is needed and allowed, for us and all that we start.
    ///
    /// - Returns: how many clients' connections fit.
    package static func raise(for connections: Int) -> Int {
        let needed = 2 * rlim_t(connections) + others
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return 100 }
        if limit.rlim_cur < needed {
            var wanted = rlimit(rlim_cur: needed, rlim_max: max(limit.rlim_max, needed))
            // Only root may raise the hard limit, and not everywhere.
            if setrlimit(resource, &wanted) != 0 {
                wanted = rlimit(rlim_cur: min(needed, limit.rlim_max), rlim_max: limit.rlim_max)
                setrlimit(resource, &wanted)
            }
        }
        return fitting(connections, descriptorsEach: 1)
    }

    /// How many of so many connections fit into a process that needs so many descriptors for each.
    package static func fitting(_ connections: Int, descriptorsEach: rlim_t) -> Int {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur > others else { return 100 }
        return min(connections, Int((limit.rlim_cur - others) / descriptorsEach))
    }
}
