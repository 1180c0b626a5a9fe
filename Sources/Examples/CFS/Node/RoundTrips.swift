import CFSModel

/// How long processes took to answer: mean and mean deviation, weighted towards the last ones.
struct RoundTrips: Sendable {
    struct Entry: Hashable, Sendable {
        /// In microseconds.
        var mean: Double
        var deviation: Double
        var count: UInt32
    }

    struct Peer: Hashable, Sendable {
        let ipv4: UInt32
        let port: UInt16

        init(_ address: NodeAddress) { (ipv4, port) = (address.ipv4, address.port) }
    }

    private var entries: [Peer: Entry] = [:]

    subscript(address: NodeAddress) -> Entry? { entries[Peer(address)] }

    /// How long to wait for a process's answer before it is asked again: as TCP does (RFC 6298), so that one whose machine is busy
    /// is not asked twice each time, which would keep it busy.
    func wait(for address: NodeAddress, atLeast least: Duration) -> Duration {
        guard let entry = entries[Peer(address)] else { return least }
        let usual = Duration.microseconds(Int64(entry.mean + 4 * entry.deviation))
        return max(least, min(usual, NodeLimits.longestFirstWait))
    }

    mutating func note(_ time: Duration, to address: NodeAddress) {
        let (peer, time) = (Peer(address), Double(time.microseconds))
        guard var entry = entries[peer] else {
            // Whoever asks for room beyond is not measured: the ring's neighbours are fewer.
            if entries.count < NodeLimits.roundTrips {
                entries[peer] = Entry(mean: time, deviation: time / 2, count: 1)
            }
            return
        }
        // The weights of TCP's estimate (RFC 6298).
        entry.deviation += (abs(time - entry.mean) - entry.deviation) / 4
        entry.mean += (time - entry.mean) / 8
        entry.count = entry.count == .max ? .max : entry.count + 1
        entries[peer] = entry
    }
}
