import CFSModel

/// Fragments that this node should have and lacks.
struct Repairs: Sendable {
    /// Those that wait; the last one is next.
    private(set) var waiting: [ChordID] = []
    private var known: Set<ChordID> = []
    private(set) var running: [OperationID: ChordID] = [:]

    mutating func add(_ id: ChordID) {
        if known.count < CFSLimits.missingKeys, known.insert(id).inserted { waiting.append(id) }
    }

    mutating func next() -> ChordID? { waiting.popLast() }

    mutating func begin(_ operation: OperationID, _ id: ChordID) { running[operation] = id }

    mutating func end(_ operation: OperationID) {
        if let id = running.removeValue(forKey: operation) { known.remove(id) }
    }

    mutating func skip(_ id: ChordID) { known.remove(id) }
}

/// A comparison of keys with another node.
struct Sync: Sendable {
    let node: ChordNode
    /// Begun by this node's timer, not because another one showed more than this one has.
    let isOwn: Bool
    var state: MerkleSync
}

/// Who is known to have which whole blocks.
struct WholeBlocks: Sendable {
    private var known: [BlockKey: (hash: ChordID, nodes: [ChordID: Duration])] = [:]
    /// Blocks under way.
    var open = 0
    /// Where the next round goes on, for each type.
    var cursor: [BlockType: ChordID] = [:]

    func has(_ node: ChordID, _ key: BlockKey, _ hash: ChordID, since time: Duration) -> Bool {
        guard let entry = known[key], entry.hash == hash, let noted = entry.nodes[node] else { return false }
        return noted >= time
    }

    mutating func note(_ key: BlockKey, _ data: [UInt8], at node: ChordID, _ now: Duration) {
        let hash = ChordID(hashing: data)
        if known[key]?.hash != hash { known[key] = (hash, [:]) }
        // Bounded by the keepers of a block, who change slowly: the oldest word goes.
        if let nodes = known[key]?.nodes, nodes.count > 16, let oldest = nodes.min(by: { $0.value < $1.value })?.key {
            known[key]?.nodes[oldest] = nil
        }
        known[key]?.nodes[node] = now
    }
}

/// Fragments being offered to those that should keep them (CFS 2004, `pmaint`).
struct Handover: Sendable {
    /// The block's keepers; each is offered all keys in turn.
    let nodes: [ChordNode]
    var index = 0
    /// Keys that this node still has.
    var keys: [ChordID]
    /// How many of the keepers have each of them.
    var present: [ChordID: Int] = [:]
    /// Keys that the current one wants.
    var accepted: [ChordID] = []
}

/// Keeping every block at those that should have it, whoever comes and goes.
extension DHash {
    // Fragments that others have: compare, fetch, make.

    /// Compares with one successor after the other, over the keys that this node is the first keeper of.
    mutating func compareWithSuccessor(_ chord: inout Chord, at now: Duration) {
        let successors = chord.successors.prefix(parameters.fragments - 1)
        guard !successors.isEmpty, repairs.waiting.isEmpty, !syncs.values.contains(where: \.isOwn) else { return }
        let range = KeyRange(from: chord.predecessor.id.next, through: chord.me.id)
        if parameters.comparesNewcomersFirst {
            compared.formIntersection(successors.map(\.id))
            if let newcomer = successors.first(where: { !compared.contains($0.id) }) {
                return begin(Sync(node: newcomer, isOwn: true, state: MerkleSync(range: range)), &chord, at: now)
            }
        }
        if nextReplica >= successors.count { nextReplica = 0 }
        begin(Sync(node: successors[nextReplica], isOwn: true, state: MerkleSync(range: range)), &chord, at: now)
        nextReplica = (nextReplica + 1) % max(1, parameters.fragments - 1)
    }

    /// Another node shows its tree, or asks for keys.
    mutating func answer(
        _ request: MerkleRequest, from node: ChordNode, _ chord: inout Chord, at now: Duration
    ) -> MerkleReply {
        let (reply, missing, unknown) = tree.answer(request)
        note(missing, &chord, at: now)
        if !unknown.isEmpty, syncs.count < parameters.syncsForOthers,
            !syncs.values.contains(where: { !$0.isOwn && $0.node.id == node.id })
        {
            begin(Sync(node: node, isOwn: false, state: MerkleSync(keysIn: unknown)), &chord, at: now)
        }
        return reply
    }

    private mutating func begin(_ sync: Sync, _ chord: inout Chord, at now: Duration) {
        let id = nextNumber()
        syncs[id] = sync
        proceed(id, &chord, at: now)
    }

    private mutating func proceed(_ id: UInt64, _ chord: inout Chord, at now: Duration) {
        guard var sync = syncs[id] else { return }
        do throws(MerkleSync.Failure) {
            guard case .ask(let request) = try sync.state.next(tree) else {
                syncs[id] = nil
                if sync.isOwn { goOn(after: sync.node, &chord, at: now) }
                return
            }
            syncs[id] = sync
            ask(sync.node, .merkle(request), for: .sync(id), &chord, at: now)
        } catch {
            // No harm: what was found missing so far is being fetched, and there is a next round.
            syncs[id] = nil
        }
    }

    /// A comparison is over: those who have just become successors do not wait for the next round.
    private mutating func goOn(after node: ChordNode, _ chord: inout Chord, at now: Duration) {
        guard parameters.comparesNewcomersFirst, compared.insert(node.id).inserted else { return }
        if chord.successors.prefix(parameters.fragments - 1).contains(where: { !compared.contains($0.id) }) {
            compareWithSuccessor(&chord, at: now)
        }
    }

    mutating func compared(_ id: UInt64, _ reply: MerkleReply, _ chord: inout Chord, at now: Duration) {
        guard var sync = syncs[id] else { return }
        do throws(MerkleSync.Failure) {
            try sync.state.receive(reply, tree)
        } catch {
            syncs[id] = nil
            return
        }
        let missing = sync.state.takeMissing().here
        syncs[id] = sync
        note(missing, &chord, at: now)
        proceed(id, &chord, at: now)
    }

    private mutating func note(_ missing: [ChordID], _ chord: inout Chord, at now: Duration) {
        for id in missing where isKeeper(of: id, chord) { repairs.add(id) }
        repairNext(&chord, at: now)
    }

    mutating func repairNext(_ chord: inout Chord, at now: Duration) {
        let size = shareSize(chord)
        while repairs.running.count < parameters.repairs, let id = repairs.next() {
            guard lacks(id, size: size) else {
                repairs.skip(id)
                continue
            }
            let operation = OperationID(number: nextNumber())
            repairs.begin(operation, id)
            fetches[operation] = Fetch(key: BlockKey(id, .contentHash), isRepair: true)
            search(operation, &chord, at: now)
        }
    }

    /// Makes fragments of its own of a block: others' would be of no use to those who have them.
    mutating func keepShare(
        of data: [UInt8], _ key: BlockKey, until expiration: UInt32, _ chord: Chord,
        using random: inout some RandomNumberGenerator
    ) {
        let size = shareSize(chord)
        guard lacks(key.id, size: size) else { return }
        let needed = parameters.needed(length: data.count)
        let share = parameters.coding.anotherShare(of: data, needed: needed, size: size, using: &random)
        if write(share, key, until: expiration) { counters.repaired += 1 } else { counters.unrepaired += 1 }
    }

    // Whole blocks: the responsible node sends them to the other keepers, others to the responsible node.

    mutating func spreadWholeBlocks(_ chord: inout Chord, at now: Duration) {
        guard wholeBlocks.open == 0 else { return }
        let replicas = Array(chord.successors.prefix(parameters.replicas - 1))
        let since = now - parameters.wholeBlockTrust
        for type in [BlockType.keyHash, .noAuth] {
            let keys = store.keys(of: type, after: wholeBlocks.cursor[type], limit: parameters.wholeBlocksPerRound)
            wholeBlocks.cursor[type] = keys.count < parameters.wholeBlocksPerRound ? nil : keys.last
            for id in keys {
                let key = BlockKey(id, type)
                guard let kept = kept(key, at: now) else { continue }
                let data = kept.data
                let hash = ChordID(hashing: data)
                guard chord.isResponsible(for: id) else {
                    if !wholeBlocks.has(ChordID(0), key, hash, since: since) {
                        wholeBlocks.open += 1
                        lookUp(id, wanted: nil, for: .master(key), &chord, at: now)
                    }
                    continue
                }
                for node in replicas where !wholeBlocks.has(node.id, key, hash, since: since) {
                    wholeBlocks.open += 1
                    upload(
                        data, key, .replica, until: kept.expiration, to: node, for: .wholeBlock(key, to: node.id),
                        &chord, at: now)
                }
            }
        }
    }

    mutating func masterFound(
        _ key: BlockKey, _ result: Result<LookupResult, ChordFailure>, _ chord: inout Chord, at now: Duration
    ) {
        guard case .success(let found) = result, let master = found.successors.first, master.id != chord.me.id,
            let kept = kept(key, at: now)
        else {
            wholeBlocks.open -= 1
            return
        }
        // Noted under zero: whoever is responsible.
        upload(
            kept.data, key, .replica, until: kept.expiration, to: master, for: .wholeBlock(key, to: ChordID(0)), &chord,
            at: now)
    }

    // Fragments that others should have.

    /// Looks for a fragment whose keepers this node is not one of any more.
    mutating func lookForMisplaced(_ chord: inout Chord, at now: Duration) {
        guard handover == nil, !tree.isEmpty,
            !lookups.values.contains(where: { if case .misplaced = $0 { true } else { false } })
        else { return }
        let predecessors = chord.predecessors
        guard predecessors.count >= parameters.fragments else { return }
        // Everything behind the fourteenth predecessor is where it belongs.
        let edge = predecessors[parameters.fragments - 1].id
        guard var key = tree.firstKey(from: misplacedCursor) else { return }
        if key.isBehind(edge, upTo: chord.me.id) {
            misplacedCursor = chord.me.id.next
            guard let next = tree.firstKey(from: misplacedCursor), !next.isBehind(edge, upTo: chord.me.id) else {
                return
            }
            key = next
        }
        lookUp(key, wanted: nil, for: .misplaced(key), &chord, at: now)
    }

    mutating func ownersFound(
        _ key: ChordID, _ result: Result<LookupResult, ChordFailure>, _ chord: inout Chord, at now: Duration
    ) {
        guard case .success(let found) = result, found.successors.count >= parameters.fragments,
            let predecessor = found.path.last
        else { return }
        let nodes = Array(found.successors.prefix(parameters.fragments))
        guard !nodes.contains(where: { $0.id == chord.me.id }) else {
            misplacedCursor = key.next
            return
        }
        // All keys of the same keepers go together.
        let part = KeyRange(from: predecessor.id.next, through: nodes[0].id)
        let all = part.parts(of: ChordID(0), ChordID(0).previous)
        let keys = all.flatMap { tree.keys(from: $0.start, through: $0.end, limit: parameters.keysPerOffer) }
        misplacedCursor = key.next
        guard !keys.isEmpty else { return }
        handover = Handover(nodes: nodes, keys: Array(keys.prefix(parameters.keysPerOffer)))
        offer(&chord, at: now)
    }

    private mutating func offer(_ chord: inout Chord, at now: Duration) {
        guard let handover else { return }
        guard handover.index < handover.nodes.count, !handover.keys.isEmpty else {
            // Who has a fragment needs no other one; if all do, this one is too many.
            for key in handover.keys where handover.present[key] == handover.nodes.count { removeFragment(key) }
            self.handover = nil
            return
        }
        ask(handover.nodes[handover.index], .dhash(.offer(handover.keys)), for: .offer, &chord, at: now)
    }

    mutating func offered(_ answers: [OfferAnswer], _ chord: inout Chord, at now: Duration) {
        guard var handover, answers.count == handover.keys.count, !answers.contains(.reject) else {
            self.handover = nil
            return
        }
        for (key, answer) in zip(handover.keys, answers) {
            if answer == .present { handover.present[key, default: 0] += 1 } else { handover.accepted.append(key) }
        }
        self.handover = handover
        handOverNext(&chord, at: now)
    }

    private mutating func handOverNext(_ chord: inout Chord, at now: Duration) {
        guard let handover else { return }
        guard let key = handover.accepted.last else {
            self.handover?.index += 1
            return offer(&chord, at: now)
        }
        let name = BlockKey(key, .contentHash)
        guard let kept = kept(name, at: now) else {
            self.handover = nil
            return
        }
        upload(
            kept.data, name, .fragment, until: kept.expiration, to: handover.nodes[handover.index],
            for: .handover(key), &chord, at: now)
    }

    mutating func handedOver(
        _ key: ChordID, _ failure: DHashFailure?, wasPresent: Bool, _ chord: inout Chord, at now: Duration
    ) {
        guard handover != nil else { return }
        guard failure == nil else {
            handover = nil
            return
        }
        handover?.accepted.removeAll { $0 == key }
        if wasPresent {
            handover?.present[key, default: 0] += 1
        } else {
            // Given away: two nodes with the same fragment are no better than one.
            removeFragment(key)
            counters.handedOver += 1
            handover?.keys.removeAll { $0 == key }
        }
        handOverNext(&chord, at: now)
    }
}
