/// How long the fast path remembers a conversation after its last packet. Durations in seconds.
package struct FlowAge: Sendable, Hashable {
    /// A connection that both ends finished, or one reset: late packets may still come.
    package var ended: UInt32 = 60
    /// A connection of which only one end spoke.
    package var opening: UInt32 = 120
    /// A living connection. Forgetting one breaks it, so this is as long as a silent one may well last: five days.
    package var connection: UInt32 = 432_000
    /// Datagrams.
    package var datagrams: UInt32 = 180

    /// The defaults, as above.
    package init() {}

    /// The defaults.
    package static let standard = FlowAge()

    /// What one direction of a conversation has seen.
    struct Direction: Sendable, Hashable {
        /// When the last packet went, in seconds of the monotonic clock.
        var seen: UInt32
        /// Any packet went.
        var spoke = false
        /// It is at its end.
        var isFinished = false
        /// It broke off.
        var isReset = false
    }

    /// The shortest time after which anything is forgotten.
    var shortest: UInt32 { min(ended, opening, connection, datagrams) }

    /// Whether a conversation is to be forgotten.
    ///
    /// - Parameter other: The other direction, as far as the kernel knows it.
    func isOver(_ one: Direction, _ other: Direction?, isTCP: Bool, now: UInt32) -> Bool {
        let seen = max(one.seen, other?.seen ?? 0)
        // The kernel's coarse clock may be ahead of the one that `now` is from.
        let idle = now > seen ? now - seen : 0
        return idle > limit(one, other, isTCP: isTCP)
    }

    private func limit(_ one: Direction, _ other: Direction?, isTCP: Bool) -> UInt32 {
        guard isTCP else { return datagrams }
        guard let other, one.spoke, other.spoke else { return one.isReset || other?.isReset == true ? ended : opening }
        let isEnded = one.isReset || other.isReset || (one.isFinished && other.isFinished)
        return isEnded ? ended : connection
    }
}
