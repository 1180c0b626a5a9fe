public import CFSModel

/// How a node of generation 2 comes to know its fingers, and how far away others are.
extension Chord {
    /// Somebody said something, so it lives; and it said where it believes to be.
    mutating func heard(_ node: ChordNode) {
        guard parameters.routing == .recursive, node.id != me.id else { return }
        table.note(node.coordinates, of: node.id)
        fingers2.note(node)
        suspects.remove(node.id)
        consider(finger: node)
    }

    /// A round trip was measured.
    mutating func measured(
        _ roundTrip: Duration, to node: ChordNode, using random: inout some RandomNumberGenerator
    ) {
        guard parameters.routing == .recursive, node.id != me.id else { return }
        vivaldi.note(roundTrip, to: node.coordinates, using: &random)
        me.coordinates = vivaldi.coordinates
    }

    /// Whether the one that is asked has to ask others before it can answer.
    func asksForMore(_ request: RequestID) -> Bool {
        if case .join = pending[request]?.purpose { true } else { false }
    }

    /// The expected round trip to a node, in microseconds; what is usual if it is not known.
    func roundTrip(to node: ChordNode) -> Double {
        guard me.coordinates.error >= 0, Vivaldi.isPlace(node.coordinates) else { return usualRoundTrip }
        return me.coordinates.distance(to: node.coordinates)
    }

    /// The slots that are of use in generation 2, with the first and last id of each and the finger there, for measurements.
    public var fingerSlots: [(start: ChordID, end: ChordID, node: ChordNode?)] {
        slotsInUse.map { (fingers2.start(of: $0), fingers2.end(of: $0), fingers2.node(in: $0)) }
    }

    /// The slots from the farthest one to the last that the list of successors does not cover.
    var slotsInUse: Range<Int> {
        let successors = successors
        guard successors.count >= parameters.neighbours, let last = successors.last,
            let slot = fingers2.slot(of: last.id)
        else { return FingerSlots.count..<FingerSlots.count }
        return slot..<FingerSlots.count
    }

    /// Takes a node as a finger that is nobody else's yet, or if it is nearer by a tenth than the one there.
    @discardableResult
    mutating func consider(finger node: ChordNode) -> Bool {
        guard node.id != me.id, !table.isDead(node.id), let slot = fingers2.slot(of: node.id) else { return false }
        if let present = fingers2.node(in: slot) {
            guard present.id != node.id, Vivaldi.isPlace(node.coordinates), me.coordinates.error >= 0,
                !Vivaldi.isPlace(present.coordinates) || roundTrip(to: node) < 0.9 * roundTrip(to: present)
            else { return false }
        }
        return fingers2.put(node)
    }

    /// A finger does not answer: another one is looked for in the next round.
    mutating func drop(finger node: ChordNode) {
        guard parameters.routing == .recursive, let slot = fingers2.remove(node.id) else { return }
        stability.areFingersStable.0 = false
        if stability.emptied.count < CFSLimits.emptiedSlots { stability.emptied.append(slot) }
    }

    /// Looks after some slots: whether the nodes there live, and whether there are nearer ones.
    mutating func stabilizeSlots(at now: Duration) {
        let inUse = slotsInUse
        noteUsualRoundTrip()
        // Until all were looked at once there are too few for short ways.
        let isStable = stability.areFingersStable == (true, true)
        let count = stability.hasAllSlots ? parameters.slotsPerRound : 4 * parameters.slotsPerRound
        for slot in stability.emptied.suffix(count) where inUse.contains(slot) { search(slot, at: now) }
        stability.emptied.removeLast(min(count, stability.emptied.count))
        for _ in 0..<count {
            guard !inUse.isEmpty else { break }
            if !inUse.contains(stability.slot) {
                if stability.slot < inUse.lowerBound { stability.hasAllSlots = true }
                stability.slot = inUse.upperBound - 1
                stability.areFingersStable = (true, stability.areFingersStable.0)
                stability.pass += 1
            }
            let slot = stability.slot
            stability.slot -= 1
            if let node = fingers2.node(in: slot) {
                stability.backoffOpen += 1
                ask(node, .ping, for: .ping)
            }
            // While nothing changes, a quarter of them each time.
            if !isStable || (slot + stability.pass) % 4 == 0 { search(slot, at: now) }
        }
        if inUse.isEmpty { stability.areFingersStable = (true, true) }
    }

    private mutating func search(_ slot: Int, at now: Duration) {
        stability.backoffOpen += 1
        let lookup = Lookup(
            fingers2.start(of: slot), wanted: parameters.fingerCandidates, purpose: .finger(slot))
        begin(lookup, at: now)
    }

    /// The first nodes of a slot: the nearest one becomes the finger.
    mutating func slotFound(_ slot: Int, _ result: Result<LookupResult, ChordFailure>) {
        stability.backoffOpen -= 1
        guard case .success(let found) = result else {
            stability.areFingersStable.0 = false
            return
        }
        let (start, end) = (fingers2.start(of: slot), fingers2.end(of: slot))
        var isNews = false
        for node in found.successors where node.id.isFrom(start, through: end) && consider(finger: node) {
            isNews = true
        }
        if isNews { stability.areFingersStable.0 = false }
    }

    /// What a hop costs, about: the mean over all fingers.
    private mutating func noteUsualRoundTrip() {
        guard me.coordinates.error >= 0 else { return }
        let known = fingers2.entries.map(\.node.coordinates).filter { Vivaldi.isPlace($0) }
        guard !known.isEmpty else { return }
        usualRoundTrip = known.reduce(0) { $0 + me.coordinates.distance(to: $1) } / Double(known.count)
    }
}
