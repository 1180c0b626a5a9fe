import CFSModel

/// Blocks of generation 2 are kept until a time, and dropped then unless they were stored again (CFS 2008, `expiration`).
extension DHash {
    /// What is kept of a block whose time is not over.
    func kept(_ key: BlockKey, at now: Duration) -> KeptBlock? {
        guard !lacks(key), let kept = store.read(key), !isOver(kept.expiration, at: now) else { return nil }
        return kept
    }

    /// What time it is, in seconds since 1970.
    private func timeOfDay(at now: Duration) -> Int64 { secondsAtZero + now.components.seconds }

    /// Whoever has a clock says what time it is: it may have been set.
    mutating func setTimeOfDay(_ seconds: Int64, at now: Duration) { secondsAtZero = seconds - now.components.seconds }

    /// Whether a time is over.
    func isOver(_ expiration: UInt32, at now: Duration) -> Bool {
        parameters.expires && expiration != 0 && Int64(expiration) <= timeOfDay(at: now)
    }

    /// Keeps a block for longer, if that is later than so far.
    mutating func refresh(_ kept: KeptBlock, _ key: BlockKey, until expiration: UInt32) {
        guard parameters.expires, Self.isLater(expiration, kept.expiration) else { return }
        // Without room for it the block stays until its earlier time: it is there, as the asker is told.
        _ = write(kept.data, key, until: expiration)
    }

    /// Drops what has expired, some blocks each time.
    ///
    /// - Returns: After how long to look again.
    mutating func dropExpired(at now: Duration) -> Duration {
        var isMore = false
        for type in BlockType.allCases {
            let names = store.expired(type, at: timeOfDay(at: now), limit: parameters.expiryKeysPerRound)
            for id in names {
                if type == .contentHash { removeFragment(id) } else { store.remove(BlockKey(id, type)) }
            }
            counters.expired += names.count
            isMore = isMore || names.count == parameters.expiryKeysPerRound
        }
        return isMore ? min(.seconds(1), parameters.expiryTimer) : parameters.expiryTimer
    }

    /// The time in the middle of what several nodes say: one that lies changes nothing.
    static func usual(_ expirations: [UInt32]) -> UInt32 {
        let sorted = expirations.sorted { isLater($1, $0) }
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }

    private static func isLater(_ left: UInt32, _ right: UInt32) -> Bool {
        right != 0 && (left == 0 || left > right)
    }
}
