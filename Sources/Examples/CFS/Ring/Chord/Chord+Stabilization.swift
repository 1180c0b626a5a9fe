import CFSModel

/// Whether the neighbourhood changed lately, and which questions about it are open.
struct Stability: Sendable {
    var continuousOpen = 0
    var backoffOpen = 0
    /// Nearer neighbours found in this round.
    var steps = 0
    /// The successor and predecessor of the last round.
    var successor: ChordID?
    var predecessor: ChordID?
    /// This round and the one before: whether the lists had nothing new.
    var isListStable = (false, false)
    var isPredecessorListStable = false
    /// This pass over all fingers and the one before.
    var areFingersStable = (false, false)
    /// The finger that is next.
    var finger = 0
    /// What fingers pointed to when they were looked at last.
    var fingers: [Int: ChordID] = [:]
    var hasFirstFingers = false
    // Of generation 2.
    /// The slot that is next, downwards; whether all were looked at once.
    var slot = FingerSlots.count
    var hasAllSlots = false
    /// Which time they are looked at.
    var pass = 0
    /// Slots whose node did not answer.
    var emptied: [Int] = []
}

/// A node that did not answer, to be asked again.
struct DeadNode: Sendable {
    let node: ChordNode
    let since: Duration
    /// When to ask, and how long to wait after that.
    var due: Duration
    var wait: Duration
}

/// How a node comes to know its neighbours and fingers (CFS 2004, `succ_list`, `pred_list`, `finger_table`).
extension Chord {
    /// Whether nothing changed lately.
    public var isStable: Bool {
        stability.isListStable == (true, true) && stability.isPredecessorListStable
            && stability.areFingersStable == (true, true) && stability.successor == successor.id
            && stability.predecessor == predecessor.id
    }

    /// The frequent part: is my successor's predecessor still me, and my predecessor's successor?
    mutating func stabilizeNeighbours() {
        guard successor.id != me.id else { return }
        stability.steps = 0
        let successor = successor
        if stability.successor != successor.id {
            stability.successor = successor.id
            ask(successor, .notify(me), for: .check)
        }
        stability.continuousOpen += 2
        ask(successor, .predecessor, for: .predecessorOf(successor))
        ask(predecessor, .successor, for: .successorOf)
    }

    /// Whether to go on at once towards a neighbour that turned out to be nearer.
    ///
    /// The historic nodes take one step each round. When many join at once, that leaves their neighbours behind for good: as
    /// many come in between as are found.
    private mutating func mayStep() -> Bool {
        stability.steps += 1
        return stability.steps <= CFSLimits.stepsPerRound
    }

    /// The patient part: the lists of both neighbours, and one finger.
    mutating func stabilizeLists(at now: Duration) {
        let successor = successor
        guard successor.id != me.id else { return }
        stability.isListStable = (true, stability.isListStable.0)
        stability.backoffOpen += 2
        ask(successor, .successorList, for: .successorList(successor))
        ask(predecessor, .predecessorList, for: .predecessorList)
        switch parameters.routing {
        case .iterative: stabilizeFinger(at: now)
        case .recursive: stabilizeSlots(at: now)
        }
    }

    /// If a finger points to somebody new, finds out who is right; otherwise asks whether somebody came in between.
    private mutating func stabilizeFinger(at now: Duration) {
        if stability.finger % ChordID.bitCount == 0 {
            stability.areFingersStable = (true, stability.areFingersStable.0)
            // The first one is the successor, which has its own care.
            stability.finger = 1
        }
        let exponent = stability.finger
        let node = finger(exponent)
        stability.backoffOpen += 1
        if stability.fingers[exponent] != node.id {
            stability.fingers[exponent] = node.id
            stability.areFingersStable.0 = false
            begin(Lookup(me.id &+ .power(ofTwo: exponent), wanted: nil, purpose: .finger(exponent)), at: now)
        } else if node.id == me.id {
            stability.backoffOpen -= 1
            advanceFinger(from: exponent, past: me.id)
        } else {
            ask(node, .predecessor, for: .fingerPredecessor(exponent, node))
        }
    }

    private mutating func advanceFinger(from exponent: Int, past id: ChordID) {
        var exponent = exponent
        while exponent < ChordID.bitCount, finger(exponent).id == id { exponent += 1 }
        stability.finger = exponent
    }

    mutating func fingerFound(_ exponent: Int, _ result: Result<LookupResult, ChordFailure>, at now: Duration) {
        if parameters.routing == .recursive { return slotFound(exponent, result) }
        stability.backoffOpen -= 1
        guard case .success(let found) = result, let first = found.successors.first else {
            stability.areFingersStable.0 = false
            return
        }
        if first.id != me.id { table.insert(first, at: now) }
        advanceFinger(from: exponent, past: first.id)
    }

    mutating func askForFirstFingers() {
        guard !stability.hasFirstFingers else { return }
        let predecessor = predecessor
        if predecessor.id != me.id, stability.isPredecessorListStable {
            ask(predecessor, .fingers, for: .fingers)
        } else {
            actions.append(.wake(.firstFingers, after: parameters.retry))
        }
    }

    mutating func stabilized(by reply: ChordReply, from node: ChordNode, for purpose: Purpose, at now: Duration) {
        switch (purpose, reply) {
        case (.predecessorOf(let successor), .node(let other)):
            stability.continuousOpen -= 1
            if other.id == me.id { break }
            if other.id.isFrom(me.id, before: successor.id), table.insert(other, at: now) {
                stability.successor = other.id
                ask(other, .notify(me), for: .check)
                guard mayStep() else { break }
                stability.continuousOpen += 1
                ask(other, .predecessor, for: .predecessorOf(other))
                break
            }
            // Dead to this node, or farther away than this one: the successor should know of this node.
            if !table.isDead(successor.id) { ask(successor, .notify(me), for: .check) }
        case (.predecessorOf(let successor), .failed):
            stability.continuousOpen -= 1
            ask(successor, .notify(me), for: .check)
        case (.successorOf, .node(let other)):
            stability.continuousOpen -= 1
            if other.id != me.id, consider(predecessor: other, at: now), mayStep() {
                stability.continuousOpen += 1
                ask(other, .successor, for: .successorOf)
            }
            stability.predecessor = predecessor.id
        case (.successorList(let successor), .nodes(let nodes)):
            stability.backoffOpen -= 1
            let isNews = merge(Array(nodes.prefix(CFSLimits.nodesPerList)), of: successor, isBehind: true, at: now)
            if isNews { stability.isListStable.0 = false }
        case (.predecessorList, .nodes(let nodes)):
            stability.backoffOpen -= 1
            let isNews = merge(Array(nodes.prefix(CFSLimits.nodesPerList)), of: node, isBehind: false, at: now)
            stability.isPredecessorListStable = !isNews
        case (.fingerPredecessor(let exponent, let node), .node(let other)):
            let start = me.id &+ .power(ofTwo: exponent)
            if start.isBehind(other.id, upTo: node.id) {
                stability.backoffOpen -= 1
                advanceFinger(from: exponent, past: node.id)
            } else {
                begin(Lookup(start, wanted: nil, purpose: .finger(exponent)), at: now)
            }
        case (.fingers, .nodes(let nodes)):
            stability.hasFirstFingers = true
            for node in nodes.prefix(ChordID.bitCount + 1) where node.id != me.id {
                table.insert(node, at: now)
                if parameters.routing == .recursive { consider(finger: node) }
            }
        case (.check, _): break
        case (.ping, _): stability.backoffOpen -= 1
        default: unstable(purpose, of: node, at: now)
        }
    }

    /// A question of stabilisation had no answer, or none that makes sense.
    mutating func unstable(_ purpose: Purpose, of node: ChordNode, at now: Duration) {
        switch purpose {
        case .successorOf, .predecessorOf: stability.continuousOpen -= 1
        case .successorList, .ping:
            stability.backoffOpen -= 1
            stability.isListStable.0 = false
        case .predecessorList:
            stability.backoffOpen -= 1
            stability.isPredecessorListStable = false
        case .fingerPredecessor:
            stability.backoffOpen -= 1
            stability.areFingersStable.0 = false
        case .fingers: actions.append(.wake(.firstFingers, after: parameters.retry))
        case .check, .hop, .join, .revival, .route: break
        }
    }

    /// Makes a neighbour's list, without its last one, this node's, behind the neighbour itself: who is new comes in, and who
    /// is missing there is asked whether it lives.
    ///
    /// The historic nodes never ask those before them, so they take the dead for living ones, and take themselves for keepers of
    /// fewer blocks than they are.
    ///
    /// - Parameter isBehind: Whether it is the successor's, not the predecessor's.
    /// - Returns: Whether somebody new is in it, or it is no list of that neighbour's.
    private mutating func merge(
        _ list: [ChordNode], of neighbour: ChordNode, isBehind: Bool, at now: Duration
    ) -> Bool {
        guard list.first?.id == neighbour.id else { return true }
        func distance(_ node: ChordNode) -> ChordID { isBehind ? node.id &- me.id : me.id &- node.id }
        let mine = isBehind ? successors : predecessors
        // Once around, the ring is smaller than the list.
        let theirs = list.dropLast().prefix { $0.id != me.id }
        var isNews = false
        var (i, j) = (0, theirs.startIndex)
        while i < mine.count, j < theirs.endIndex {
            let (known, told) = (mine[i], theirs[j])
            if known.id == told.id {
                (i, j) = (i + 1, j + 1)
            } else if distance(known) < distance(told) {
                stability.backoffOpen += 1
                ask(known, .ping, for: .ping)
                i += 1
            } else {
                if table.insert(told, at: now) { isNews = true }
                j += 1
            }
        }
        for known in mine[i...] {
            stability.backoffOpen += 1
            ask(known, .ping, for: .ping)
        }
        if mine.count < parameters.neighbours {
            for told in theirs[j...] where table.insert(told, at: now) { isNews = true }
        }
        return isNews
    }

    // The dead.

    mutating func bury(_ node: ChordNode, at now: Duration) {
        suspects.remove(node.id)
        drop(finger: node)
        guard table.markDead(node, at: now) else { return }
        remember(node, at: now)
    }

    /// Notes to ask a dead node again, unless there are too many already: the oldest word is forgotten first.
    mutating func remember(_ node: ChordNode, at now: Duration) {
        if let index = dead.firstIndex(where: { $0.node.id == node.id }) {
            dead[index].wait = min(dead[index].wait * 2, parameters.checkDeadLongest)
            dead[index].due = now + dead[index].wait
            return
        }
        if dead.count >= CFSLimits.deadNodes { dead.removeFirst() }
        dead.append(DeadNode(node: node, since: now, due: now + parameters.checkDead, wait: parameters.checkDead))
    }

    /// Asks those who might be neighbours again; the others come back by themselves.
    mutating func checkDeadNodes(at now: Duration) {
        let successors = successors
        dead.removeAll { entry in
            guard table.isDead(entry.node.id), now - entry.since < parameters.deadAtMost else { return true }
            guard successors.count >= parameters.neighbours, let last = successors.last else { return false }
            return !entry.node.id.isBetween(me.id, last.id)
        }
        for index in dead.indices where dead[index].due <= now {
            // Not again before this question is over.
            dead[index].due = now + dead[index].wait
            ask(dead[index].node, .ping, for: .revival(dead[index].node))
        }
    }
}
