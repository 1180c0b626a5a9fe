import CFSModel

/// What a node says to others.
extension Chord {
    /// Somebody asks.
    ///
    /// - Parameter ticket: Comes back with the answer, at once or, for `findRoute`, when the way is known.
    public mutating func answer(_ request: ChordRequest, ticket: Ticket, at now: Duration) -> [ChordAction] {
        switch request {
        case .ping: reply(.done, to: ticket)
        case .successor: reply(.node(successor), to: ticket)
        case .predecessor: reply(.node(predecessor), to: ticket)
        case .successorList: reply(.nodes([me] + successors), to: ticket)
        case .predecessorList: reply(.nodes([me] + predecessors), to: ticket)
        case .fingers: reply(.nodes([me] + fingers), to: ticket)
        case .notify(let node):
            consider(predecessor: node, at: now)
            reply(.done, to: ticket)
        case .alert(let node):
            // Somebody's word is no proof: this node asks itself.
            if let known = table.node(node.id), known.id != me.id, !table.isDead(known.id), !isChecking(known) {
                ask(known, .successor, for: .check)
            }
            reply(.done, to: ticket)
        case .testRange(let id, let failed): reply(testRange(id, failed: failed), to: ticket)
        case .findRoute(let id, let withSuccessors):
            guard lookupsForOthers < CFSLimits.lookupsForOthers else {
                reply(.failed(.unreachable), to: ticket)
                break
            }
            lookupsForOthers += 1
            begin(Lookup(id, wanted: nil, purpose: .other(ticket, withSuccessors: withSuccessors)), at: now)
        case .route(let route): take(route, ticket: ticket, at: now)
        case .routeEnd(let end):
            reply(.done, to: ticket)
            arrived(end, at: now)
        }
        return takeActions()
    }

    mutating func reply(_ reply: ChordReply, to ticket: Ticket) { actions.append(.answer(ticket, reply)) }

    /// Takes over a predecessor nearer than the one it knows, if this is one.
    @discardableResult
    mutating func consider(predecessor node: ChordNode, at now: Duration) -> Bool {
        node.id.isBetween(predecessor.id, me.id) && table.insert(node, at: now)
    }

    func testRange(_ id: ChordID, failed: [ChordID]) -> ChordReply {
        if id.isBehind(me.id, upTo: successor.id) {
            let successors = successors
            return .inRange(successors.isEmpty ? [me] : successors)
        }
        return .notInRange(closestPredecessor(of: id, without: failed), successors: successors)
    }

    /// The node nearest before `id`, of fingers and successors; this one if there is none in between.
    func closestPredecessor(of id: ChordID, without failed: [ChordID]) -> ChordNode {
        func isGood(_ node: ChordNode) -> Bool { node.id.isBetween(me.id, id) && !failed.contains(node.id) }
        let neighbour = successors.prefix { $0.id.isBetween(me.id, id) }.last(where: isGood)
        // A finger is at its start or behind it, so no start behind `id` can be of use; `id` itself is the whole circle away.
        guard neighbour != nil || successor.id.isBetween(me.id, id) else { return me }
        let last = (id &- me.id).highestBit ?? ChordID.bitCount - 1
        guard let finger = (0...last).reversed().lazy.map(finger).first(where: isGood) else { return neighbour ?? me }
        guard let neighbour, finger.id.isBetween(me.id, neighbour.id) else { return finger }
        return neighbour
    }

    private func isChecking(_ node: ChordNode) -> Bool {
        pending.values.contains { open in
            if case .check = open.purpose { open.node.id == node.id } else { false }
        }
    }
}
