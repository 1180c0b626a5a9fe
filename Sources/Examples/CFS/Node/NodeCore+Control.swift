import CFSModel
import CFSProtocol1
import CFSRing
import CFSStore
import ONCRPC
import ONCRPCSockets

/// What lsdctl asks.
extension NodeCore {
    func setStabilizing(_ isStabilizing: Bool) -> Bool {
        self.isStabilizing = isStabilizing
        return isStabilizing
    }

    func setReplicating(_ isReplicating: Bool) -> Bool {
        self.isReplicating = isReplicating
        return isReplicating
    }

    /// Whom a virtual node has in mind; nil if there is no such one.
    func locations(of index: Int) -> [Control1.Node]? {
        guard nodes.indices.contains(index) else { return nil }
        let me = [describe(nodes[index].chord.me, isPinned: true)]
        return me + nodes[index].chord.locations.map { describe($0.node, deadSince: $0.deadSince) }
    }

    /// A virtual node and those that follow it; nil if there is no such one.
    func successors(of index: Int) -> [Control1.Node]? {
        guard nodes.indices.contains(index) else { return nil }
        let chord = nodes[index].chord
        return [describe(chord.me, isPinned: true)] + chord.successors.map { describe($0) }
    }

    func ownNodes() -> [Control1.Node] { nodes.map { describe($0.chord.me, isPinned: true) } }

    private func describe(_ node: ChordNode, isPinned: Bool = false, deadSince: Duration? = nil) -> Control1.Node {
        let roundTrip = indices[node.id] == nil ? roundTrips[node.address] : nil
        return Control1.Node(
            node, latency: UInt32(roundTrip?.mean ?? 0), deviation: UInt32(roundTrip?.deviation ?? 0),
            answers: roundTrip?.count ?? 0, isPinned: isPinned, isAlive: deadSince == nil,
            deadTime: Int32(clamping: deadSince.map { (now - $0).components.seconds } ?? 0))
    }

    /// What is kept.
    func store() -> Control1.Store {
        let counts = database.counts
        return Control1.Store(
            bytes: UInt64(counts.bytes), bytesMax: UInt64(database.bytesMax), fragments: UInt64(counts.fragments),
            signedBlocks: UInt64(counts.signedBlocks), unsignedBlocks: UInt64(counts.unsignedBlocks))
    }

    /// Names of blocks that a virtual node keeps something of; nil if there is no such one.
    func blocks(of index: Int, _ type: BlockType, after id: ChordID?) -> [ChordID]? {
        guard nodes.indices.contains(index) else { return nil }
        return nodes[index].dhash.store.keys(of: type, after: id, limit: Control1.Limits.blocksMax)
    }

    /// What was counted; what the state machines and the socket count, they count from the beginning.
    func statistics(clearing: Bool) async -> Control1.Statistics {
        let datagrams = await endpoint?.counters()
        var all: [Control1.Statistic] = []
        for (title, calls) in [("asked", counters.asked), ("answered", counters.answered)] {
            for (name, calls) in calls.sorted(by: { $0.key < $1.key }) {
                all.append(
                    Control1.Statistic(
                        "\(title): \(name)", calls: UInt64(calls.calls), callBytes: UInt64(calls.callBytes),
                        replies: UInt64(calls.replies), replyBytes: UInt64(calls.replyBytes)))
            }
        }
        for reason in NodeCounters.Drop.allCases {
            if let count = counters.drops[reason] { all.append(Self.count("dropped: \(reason.rawValue)", count)) }
        }
        if let datagrams { all += Self.counts(datagrams) }
        all += Self.counts(nodes.reduce(into: DHashCounters()) { $0.add($1.dhash.counters) })
        let interval = now - counted
        if clearing {
            counters = NodeCounters()
            counted = now
        }
        return Control1.Statistics(interval: interval.microseconds, all)
    }

    private static func count(_ name: String, _ count: Int) -> Control1.Statistic {
        Control1.Statistic(name, calls: UInt64(clamping: count))
    }

    private static func counts(_ datagrams: RPCDatagramCounters) -> [Control1.Statistic] {
        [
            count("datagrams: calls made", datagrams.client.calls),
            count("datagrams: calls sent again", datagrams.client.resent),
            count("datagrams: calls given up", datagrams.client.timedOut),
            count("datagrams: replies that came again", datagrams.client.duplicateReplies),
            count("datagrams: replies to questions never asked", datagrams.client.unknownReplies),
            count("datagrams: calls carried out", datagrams.service.carriedOut),
            count("datagrams: calls refused", datagrams.service.refused),
            count("datagrams: calls answered from memory", datagrams.service.replayed),
            count("datagrams: calls that came again too early", datagrams.service.duplicates),
            count("datagrams: calls beyond those that can be open", datagrams.service.busy),
            count("datagrams: replies too long", datagrams.service.tooLarge),
            count("datagrams: garbage", datagrams.garbage),
            count("datagrams: not sent, the socket was full", datagrams.dropped),
        ]
    }

    private static func counts(_ blocks: DHashCounters) -> [Control1.Statistic] {
        [
            count("blocks: stored for others", blocks.stores), count("blocks: refused", blocks.refused),
            count("blocks: fragments made anew", blocks.repaired),
            count("blocks: fragments that could not be made", blocks.unrepaired),
            count("blocks: fragments handed over", blocks.handedOver),
            count("blocks: fragments that were none", blocks.badFragments),
            count("blocks: dropped, their time was over", blocks.expired),
        ]
    }
}
