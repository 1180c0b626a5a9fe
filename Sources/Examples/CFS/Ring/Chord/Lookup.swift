public import CFSModel

/// The way to an id, asked for node by node from here (CFS 2004, `route_chord`).
struct Lookup: Sendable {
    /// Who wants to know.
    enum Purpose: Sendable {
        /// The layer above.
        case client
        /// Another node, by `findRoute`.
        case other(Ticket, withSuccessors: Bool)
        /// The finger with this exponent.
        case finger(Int)
    }

    let target: ChordID
    /// How many successors are enough to stop early; nil to go on to the predecessor itself.
    let wanted: Int?
    let purpose: Purpose
    /// Those to go back to, the last one being asked now.
    var path: [ChordNode] = []
    var failed: [ChordID] = []
    var questions = 0
    /// What its attempts are called, with recursive routing.
    var routes: [UInt32] = []
    /// The nodes that they began with.
    var firstHops: [ChordID] = []

    init(_ target: ChordID, wanted: Int?, purpose: Purpose) {
        self.target = target
        self.wanted = wanted
        self.purpose = purpose
    }

    /// The successors of the target that a node's list of successors shows, if it shows enough of them.
    ///
    /// The node itself is not at hand in the list, so the target must lie between two of the list (CFS 2004, "shaving").
    func shaved(_ list: [ChordNode]) -> [ChordNode]? {
        guard let wanted, list.count > 1 else { return nil }
        let end = list.count < wanted ? list.count : list.count - wanted
        guard end > 1 else { return nil }
        for index in 1..<end where target.isBehind(list[index - 1].id, upTo: list[index].id) {
            return Array(list[index...])
        }
        return nil
    }
}

extension Chord {
    /// Finds who has an id.
    ///
    /// - Parameters:
    ///   - wanted: How many successors are needed: the lookup stops when somebody's list shows as many. Nil to ask the
    ///     id's predecessor itself.
    ///   - guess: Where to begin, if that node is known.
    /// - Returns: The lookup, whose result is in an action, now or later.
    public mutating func lookUp(
        _ id: ChordID, wanted: Int? = nil, guess: ChordID? = nil, at now: Duration
    ) -> (LookupID, [ChordAction]) {
        let lookup = begin(
            Lookup(id, wanted: parameters.isShaving ? wanted : nil, purpose: .client),
            guess: guess.flatMap { table.isDead($0) ? nil : table.node($0) }, at: now)
        return (lookup, takeActions())
    }

    @discardableResult
    mutating func begin(_ lookup: Lookup, guess: ChordNode? = nil, at now: Duration) -> LookupID {
        let id = nextLookup()
        if parameters.routing == .recursive {
            lookups[id] = lookup
            sendOff(id, at: now)
            return id
        }
        var lookup = lookup
        lookup.path = [guess ?? closestPredecessor(of: lookup.target, without: [])]
        lookups[id] = lookup
        hop(id, at: now)
        return id
    }

    /// Asks the last node of the way, this one by a glance.
    private mutating func hop(_ id: LookupID, at now: Duration) {
        guard let lookup = lookups[id], let node = lookup.path.last else { return }
        if node.id == me.id {
            takeHop(testRange(lookup.target, failed: lookup.failed), id, at: now)
        } else if lookup.questions >= CFSLimits.lookupQuestions || lookup.failed.count >= CFSLimits.failedNodes {
            end(id, .failure(.noEntry), at: now)
        } else if table.isDead(node.id) {
            failHop(id, at: now)
        } else {
            lookups[id]?.questions += 1
            ask(node, .testRange(lookup.target, failed: lookup.failed), for: .hop(id))
        }
    }

    mutating func takeHop(_ reply: ChordReply, _ id: LookupID, at now: Duration) {
        guard var lookup = lookups[id], let asked = lookup.path.last else { return }
        switch reply {
        case .inRange(let nodes):
            guard let first = nodes.first else { return end(id, .failure(.noEntry), at: now) }
            if first.id != me.id { table.insert(first, at: now) }
            end(id, success(lookup, Array(nodes.prefix(CFSLimits.nodesPerList))), at: now)
        case .notInRange(let next, let successors):
            let list = Array(successors.prefix(CFSLimits.nodesPerList))
            if let found = lookup.shaved(list) { return end(id, success(lookup, found), at: now) }
            guard next.id != asked.id else {
                // It has nobody nearer, yet the id is not its successor's: all it would name did not answer.
                return end(id, .failure(.noEntry), at: now)
            }
            guard next.id &- asked.id <= lookup.target &- asked.id || asked.id == lookup.target else {
                // Away from the target: whoever says so knows too little, or is no friend.
                return failHop(id, at: now)
            }
            if next.id != me.id { table.insert(next, at: now) }
            lookup.path.append(next)
            lookups[id] = lookup
            hop(id, at: now)
        default: failHop(id, at: now)
        }
    }

    /// Goes back to the one before, and tells it not to name this one again.
    mutating func failHop(_ id: LookupID, at now: Duration) {
        guard var lookup = lookups[id], let failed = lookup.path.popLast() else { return }
        guard failed.id != me.id else { return end(id, .failure(.noEntry), at: now) }
        lookup.failed.append(failed.id)
        if lookup.path.isEmpty { lookup.path = [me] }
        lookups[id] = lookup
        if let last = lookup.path.last, last.id != me.id, table.isDead(failed.id) {
            ask(last, .alert(failed), for: .check)
        }
        hop(id, at: now)
    }

    private func success(_ lookup: Lookup, _ successors: [ChordNode]) -> Result<LookupResult, ChordFailure> {
        .success(
            LookupResult(
                target: lookup.target, successors: successors, path: lookup.path, questions: lookup.questions,
                failures: lookup.failed.count))
    }

    mutating func end(_ id: LookupID, _ result: Result<LookupResult, ChordFailure>, at now: Duration) {
        guard let lookup = lookups.removeValue(forKey: id) else { return }
        forget(lookup)
        switch lookup.purpose {
        case .client: actions.append(.lookedUp(id, result))
        case .finger(let exponent): fingerFound(exponent, result, at: now)
        case .other(let ticket, let withSuccessors):
            lookupsForOthers -= 1
            switch result {
            case .success(let found):
                // Successors first, then the way with the first successor at its end.
                let way = found.path + found.successors.prefix(1)
                reply(.nodes((withSuccessors ? found.successors : []) + way), to: ticket)
            case .failure: reply(.failed(.unreachable), to: ticket)
            }
        }
    }
}
