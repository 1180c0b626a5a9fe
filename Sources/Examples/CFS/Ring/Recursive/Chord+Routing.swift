import CFSModel

/// Lookups of generation 2: the question goes from node to node, the answer straight to who asked (CFS 2008, `recroute`).
///
/// Each node that passes it on sees to it that the next one takes it, and tries another one if that takes too long. Who asked
/// sets a time, after which it asks another way; so every lookup ends.
extension Chord {
    // At the origin.

    /// Sends a lookup on its way, by another first node than before.
    mutating func sendOff(_ id: LookupID, at now: Duration) {
        guard var lookup = lookups[id] else { return }
        let number = nextRouteNumber()
        lookup.routes.append(number)
        lookups[id] = lookup
        routeNumbers[number] = id
        actions.append(.wake(.route(id, attempt: lookup.routes.count), after: parameters.routePatience))
        let route = Route(number: number, origin: me, target: lookup.target, wanted: lookup.wanted ?? 0)
        let forward = Forward(
            route: route, next: me, refused: lookup.failed, tried: lookup.firstHops, lookup: id)
        pass(forward, at: now)
    }

    /// The time for an attempt is over.
    mutating func routeTimedOut(_ id: LookupID, attempt: Int, at now: Duration) {
        guard let lookup = lookups[id], lookup.routes.count == attempt else { return }
        sendOffAgain(id, at: now)
    }

    private mutating func sendOffAgain(_ id: LookupID, at now: Duration) {
        guard let lookup = lookups[id] else { return }
        guard lookup.routes.count < parameters.routeAttempts else {
            return end(id, .failure(.unreachable), at: now)
        }
        sendOff(id, at: now)
    }

    /// The end of a question of this node's.
    mutating func arrived(_ end: RouteEnd, at now: Duration) {
        guard let id = routeNumbers[end.number], let lookup = lookups[id] else { return }
        let isSane = end.path.count <= CFSLimits.routeHops + 1 && (0...CFSLimits.routeRetries).contains(end.retries)
        if isSane { lookups[id]?.questions += end.path.count + end.retries }
        guard isSane, let successors = end.successors?.prefix(CFSLimits.nodesPerList), let first = successors.first
        else {
            // Another attempt may be under way.
            if lookup.routes.last == end.number { sendOffAgain(id, at: now) }
            return
        }
        if first.id != me.id { table.insert(first, at: now) }
        let result = LookupResult(
            target: lookup.target, successors: Array(successors), path: end.path.isEmpty ? [me] : end.path,
            questions: lookup.questions + end.path.count + end.retries, failures: end.retries + lookup.failed.count)
        self.end(id, .success(result), at: now)
    }

    mutating func forget(_ lookup: Lookup) { for number in lookup.routes { routeNumbers[number] = nil } }

    /// A number that nobody can guess who has not seen others: answers come from anywhere.
    private mutating func nextRouteNumber() -> UInt32 {
        while true {
            routeSecret &+= 0x9E37_79B9_7F4A_7C15
            var mixed = routeSecret
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            let number = UInt32(truncatingIfNeeded: mixed >> 32)
            if routeNumbers[number] == nil { return number }
        }
    }

    // On the way.

    /// A question comes by.
    mutating func take(_ route: Route, ticket: Ticket, at now: Duration) {
        guard forwards.count < CFSLimits.forwardedRoutes, route.path.count <= CFSLimits.routeHops,
            (0..<CFSLimits.routeRetries).contains(route.retries), route.origin.id != me.id
        else { return reply(.failed(.unreachable), to: ticket) }
        reply(.done, to: ticket)
        pass(Forward(route: route, next: me), at: now)
    }

    /// Gives a question to the best next node, or ends it here.
    mutating func pass(_ forward: Forward, at now: Duration) {
        var forward = forward
        let route = forward.route
        if let successors = knownSuccessors(of: route.target, wanted: route.wanted, without: forward.refused) {
            return finish(route, successors, at: now)
        }
        guard route.path.count < CFSLimits.routeHops, forward.attempts < parameters.hopAttempts,
            let next = nextHop(to: route.target, avoiding: forward.refused + forward.tried, route.path)
                ?? nextHop(to: route.target, avoiding: forward.refused, route.path)
        else { return finish(route, nil, at: now) }
        forward.next = next
        forward.attempts += 1
        if let lookup = forward.lookup { lookups[lookup]?.firstHops.append(next.id) }
        lastForward += 1
        let id = ForwardID(number: lastForward)
        forwards[id] = forward
        var passed = route
        passed.path.append(next)
        ask(next, .route(passed), for: .route(id))
        let patience = Duration.microseconds(Int64(3 * roundTrip(to: next))) + parameters.hopPatience
        actions.append(.wake(.hop(id), after: min(patience, parameters.routePatience)))
    }

    private mutating func finish(_ route: Route, _ successors: [ChordNode]?, at now: Duration) {
        let end = RouteEnd(number: route.number, path: route.path, retries: route.retries, successors: successors)
        if route.origin.id == me.id {
            arrived(end, at: now)
        } else {
            ask(route.origin, .routeEnd(end), for: .check)
        }
    }

    /// The next node has the question.
    mutating func passed(_ id: ForwardID, _ reply: ChordReply, at now: Duration) {
        guard case .done = reply else { return refused(id, at: now) }
        forwards[id] = nil
    }

    /// The next node did not take the question, or not in time: another one.
    mutating func refused(_ id: ForwardID, isLate: Bool = false, at now: Duration) {
        guard var forward = forwards.removeValue(forKey: id) else { return }
        if isLate { suspects.insert(forward.next.id) }
        if let lookup = forward.lookup { lookups[lookup]?.failed.append(forward.next.id) }
        forward.refused.append(forward.next.id)
        forward.route.retries += 1
        pass(forward, at: now)
    }

    /// The successors of an id if this node knows them: it is the predecessor, or its list shows as many as are wanted.
    ///
    /// Those in between that do not answer make it the predecessor before stabilisation has found out; they are not the ones
    /// that are looked for.
    private func knownSuccessors(of id: ChordID, wanted: Int, without refused: [ChordID]) -> [ChordNode]? {
        let successors = successors
        guard let first = successors.first else { return [me] }
        if id.isBehind(me.id, upTo: first.id) { return successors }
        guard let index = successors.firstIndex(where: { id.isBehind(me.id, upTo: $0.id) }) else { return nil }
        let isPredecessor = successors[..<index].allSatisfy { suspects.contains($0.id) || refused.contains($0.id) }
        guard isPredecessor || wanted > 0 && successors.count - index >= wanted else { return nil }
        return Array(successors[index...])
    }

    /// The node before `target` that gets a question there soonest: by the round trip to it, and by how many hops it is from there.
    func nextHop(to target: ChordID, avoiding refused: [ChordID], _ path: [ChordNode]) -> ChordNode? {
        let successors = successors
        guard let last = successors.last else { return nil }
        let distance = target &- me.id
        let density = Double(successors.count) / max((last.id &- me.id).fraction, .leastNormalMagnitude)
        var best: (node: ChordNode, cost: Double)?
        func isGood(_ node: ChordNode) -> Bool {
            let way = node.id &- me.id
            return (way < distance || distance == ChordID(0)) && !suspects.contains(node.id)
                && !refused.contains(node.id) && !path.contains { $0.id == node.id } && !table.isDead(node.id)
        }
        func consider(_ node: ChordNode) {
            let hops = expectedHops((target &- node.id).fraction * density)
            let cost = roundTrip(to: node) + hops * usualRoundTrip
            if best.map({ cost < $0.cost }) ?? true { best = (node, cost) }
        }
        // The predecessor itself, if this node knows it: nobody is a shorter way to it.
        if target.isBehind(me.id, upTo: last.id), let node = successors.last(where: isGood) { return node }
        for entry in fingers2.entries where isGood(entry.node) { consider(entry.node) }
        for node in successors where isGood(node) { consider(node) }
        return best?.node
    }

    /// About how many hops it is to an id with so many nodes before it.
    private func expectedHops(_ nodes: Double) -> Double {
        if nodes < 1 { return nodes }
        let beyondList = nodes / Double(parameters.neighbours)
        guard beyondList > 1 else { return 1 }
        // 15 of 16 times a digit is not zero.
        return 1 + Self.log2(beyondList) / Double(FingerSlots.digitBits) * 15 / 16
    }

    /// About the logarithm to the base 2: exact at powers of two, a straight line between them.
    private static func log2(_ value: Double) -> Double { Double(value.exponent) + value.significand - 1 }
}
