import CFSModel
import CFSRing
import CFSSimulation
import Testing

@Suite("One node of a ring")
struct ChordTests {
    private func node(_ index: Int) -> ChordNode { ChordNode(RingSimulation.address(index) ?? fallback) }
    private var fallback: NodeAddress { NodeAddress(ipv4: 1, port: 1, virtualNode: 0).unsafelyUnwrapped }

    /// A node that was told of others by notifications and lists, as if it had been in the ring for long.
    private func chord(among count: Int) -> (chord: Chord, others: [ChordNode]) {
        var chord = Chord(me: node(0))
        let others = (1..<count).map(node)
        var random = seeded()
        for start in stride(from: 0, to: others.count, by: CFSLimits.nodesPerList) {
            let asked = questions(chord.join(through: others[0], using: &random))
            let some = others.dropFirst(start).prefix(CFSLimits.nodesPerList)
            if let request = asked.first?.0 { _ = chord.receive(.nodes(Array(some)), to: request, at: .zero) }
        }
        return (chord, others)
    }

    private func questions(_ actions: [ChordAction]) -> [(RequestID, ChordNode, ChordRequest)] {
        actions.compactMap { if case .ask(let id, let node, let request) = $0 { (id, node, request) } else { nil } }
    }

    @Test("who joins asks for the id before its own, and tells its successor")
    func join() {
        var random = seeded()
        var chord = Chord(me: node(0))
        let asked = questions(chord.join(through: node(1), using: &random))
        #expect(asked.count == 1 && asked[0].2 == .findRoute(chord.me.id.previous, withSuccessors: true))
        let actions = chord.receive(.nodes([node(1), node(2), node(0)]), to: asked[0].0, at: .zero)
        #expect(actions.contains(.joined))
        #expect(questions(actions).map(\.2) == [.notify(chord.me)])
        #expect(Set(chord.successors) == [node(1), node(2)])
        #expect(questions(actions)[0].1 == chord.successor)
    }

    @Test("who cannot join tries again later")
    func joinAgain() {
        var random = seeded()
        var chord = Chord(me: node(0))
        let asked = questions(chord.join(through: node(1), using: &random))
        let actions = chord.fail(asked[0].0, at: .zero)
        #expect(actions == [.joinFailed, .wake(.join, after: .seconds(10))])
        #expect(questions(chord.fire(.join, at: .seconds(10), using: &random)).count == 1)
    }

    @Test("a node alone has every id and is its own neighbour")
    func alone() {
        let chord = Chord(me: node(0))
        #expect(chord.successor == chord.me && chord.predecessor == chord.me)
        #expect(chord.isResponsible(for: ChordID(0)) && chord.isResponsible(for: chord.me.id))
        #expect(chord.successors.isEmpty && chord.fingers.isEmpty)
        #expect(chord.estimatedNodes == 1)
    }

    @Test("a question whether an id is near is answered with the successors, or with the nearest node before it")
    func testRange() {
        var (chord, others) = chord(among: 100)
        others.sort { $0.id &- chord.me.id < $1.id &- chord.me.id }
        for (index, other) in others.enumerated() {
            let expected: ChordReply
            if index == 0 {
                expected = .inRange(Array(others.prefix(16)))
            } else {
                // The nearest one before it, of the fingers and successors, by going through all of them.
                let known = Set(chord.fingers + chord.successors).filter { $0.id.isBetween(chord.me.id, other.id) }
                let nearest = known.max { $0.id &- chord.me.id < $1.id &- chord.me.id } ?? chord.me
                expected = .notInRange(nearest, successors: Array(others.prefix(16)))
            }
            let actions = chord.answer(.testRange(other.id, failed: []), ticket: Ticket(1), at: .zero)
            #expect(actions == [.answer(Ticket(1), expected)])
            guard case .notInRange(let nearest, _) = expected else { continue }
            let again = chord.answer(.testRange(other.id, failed: [nearest.id]), ticket: Ticket(2), at: .zero)
            guard case .answer(_, .notInRange(let second, _)) = again[0] else { continue }
            #expect(second != nearest)
        }
    }

    @Test("a lookup goes back when a node does not answer, tells the one before, and names the dead one no more")
    func failedHop() throws {
        var (chord, _) = chord(among: 60)
        let target = chord.me.id &- ChordID(1)
        let (lookup, begun) = chord.lookUp(target, at: .zero)
        let first = try #require(questions(begun).first)
        let closer = node(200)
        let second = try #require(
            questions(chord.receive(.notInRange(closer, successors: []), to: first.0, at: .zero)).first)
        guard closer.id.isBetween(first.1.id, target) else { return }
        #expect(second.1 == closer)
        let after = questions(chord.fail(second.0, at: .zero))
        #expect(after.map(\.1) == [first.1, first.1])
        #expect(after.map(\.2) == [.alert(closer), .testRange(target, failed: [closer.id])])
        #expect(chord.isDead(closer))
        let done = chord.receive(.inRange([node(3)]), to: after[1].0, at: .zero)
        let result = LookupResult(target: target, successors: [node(3)], path: [first.1], questions: 3, failures: 1)
        #expect(done == [.lookedUp(lookup, .success(result))])
    }

    @Test("an answer that leads away from the target is not followed")
    func wrongWay() throws {
        var (chord, _) = chord(among: 60)
        let (_, begun) = chord.lookUp(chord.me.id &- ChordID(1), at: .zero)
        let first = try #require(questions(begun).first)
        let backwards = chord.successor
        guard backwards != first.1 else { return }
        let next = questions(chord.receive(.notInRange(backwards, successors: []), to: first.0, at: .zero))
        #expect(!next.contains { $0.1 == backwards })
    }

    @Test("a lookup that is led on for ever ends")
    func endless() {
        var (chord, _) = chord(among: 40)
        let target = chord.me.id &- ChordID(1)
        var (lookup, actions) = chord.lookUp(target, at: .zero)
        var asked = 0
        var index = 1000
        while let (request, node, _) = questions(actions).last {
            asked += 1
            // Always somebody nearer: as long as there are any, and then the node itself.
            var next = self.node(index)
            for _ in 0..<200 where !next.id.isBetween(node.id, target) {
                index += 1
                next = self.node(index)
            }
            actions = chord.receive(.notInRange(next, successors: []), to: request, at: .zero)
            if asked > CFSLimits.lookupQuestions + 1 { break }
        }
        #expect(asked <= CFSLimits.lookupQuestions + 1)
        #expect(actions.contains { if case .lookedUp(lookup, .failure) = $0 { true } else { false } })
    }

    @Test("a node that others call dead is asked before it is believed")
    func alert() {
        var (chord, others) = chord(among: 10)
        let actions = chord.answer(.alert(others[3]), ticket: Ticket(1), at: .zero)
        let asked = questions(actions)
        #expect(asked.map(\.1) == [others[3]] && asked[0].2 == .successor)
        #expect(actions.contains(.answer(Ticket(1), .done)))
        // Asked once, however often it is said.
        #expect(questions(chord.answer(.alert(others[3]), ticket: Ticket(2), at: .zero)).isEmpty)
        #expect(!chord.isDead(others[3]))
        _ = chord.fail(asked[0].0, at: .zero)
        #expect(chord.isDead(others[3]))
        #expect(!chord.successors.contains(others[3]))
    }

    @Test("who notifies becomes the predecessor only if it is nearer")
    func notify() {
        var (chord, others) = chord(among: 10)
        others.sort { chord.me.id &- $0.id < chord.me.id &- $1.id }
        #expect(chord.predecessor == others[0])
        let far = (10..<1000).map(node).first { $0.id.isBetween(chord.me.id, others[0].id) }
        let near = (10..<100_000).map(node).first { $0.id.isBetween(others[0].id, chord.me.id) }
        if let far { _ = chord.answer(.notify(far), ticket: Ticket(1), at: .zero) }
        #expect(chord.predecessor == others[0])
        if let near {
            _ = chord.answer(.notify(near), ticket: Ticket(2), at: .zero)
            #expect(chord.predecessor == near)
        }
    }

    @Test("the dead come back by their own answer, or by hearsay after a minute")
    func revival() {
        var (chord, others) = chord(among: 10)
        chord.noteFailure(of: others[0], at: .zero)
        var random = seeded()
        func hear(_ node: ChordNode, at now: Duration) { _ = chord.answer(.notify(node), ticket: Ticket(1), at: now) }
        hear(others[0], at: .seconds(30))
        #expect(chord.isDead(others[0]))
        #expect(questions(chord.fire(.checkDead, at: .seconds(59), using: &random)).isEmpty)
        let asked = questions(chord.fire(.checkDead, at: .seconds(60), using: &random))
        #expect(asked.map(\.1) == [others[0]] && asked.map(\.2) == [.ping])
        let actions = chord.receive(.done, to: asked[0].0, at: .seconds(61))
        #expect(!chord.isDead(others[0]))
        #expect(questions(actions).map(\.2) == [.notify(chord.me)])
    }

    @Test("replies to questions never asked, or answered before, change nothing")
    func strangeReplies() {
        var (chord, _) = chord(among: 10)
        var random = seeded()
        let asked = questions(chord.fire(.continuous, at: .zero, using: &random))
        #expect(!asked.isEmpty)
        _ = chord.receive(.node(chord.me), to: asked[0].0, at: .zero)
        #expect(chord.receive(.node(node(500)), to: asked[0].0, at: .zero).isEmpty)
        #expect(chord.receive(.done, to: chord.nextRequest(), at: .zero).isEmpty)
        #expect(chord.fail(asked[0].0, at: .zero).isEmpty)
    }

    @Test("a node keeps a bounded number of others in mind, and never forgets its neighbours")
    func bounded() {
        var chord = Chord(me: node(0))
        var random = seeded()
        var others: [ChordNode] = []
        for index in 1...600 {
            others.append(node(index))
            let asked = questions(chord.join(through: node(1), using: &random))
            _ = chord.receive(.nodes([node(index)]), to: asked.last?.0 ?? chord.nextRequest(), at: .zero)
        }
        others.sort { $0.id &- chord.me.id < $1.id &- chord.me.id }
        #expect(chord.successors == Array(others.prefix(16)))
        #expect(chord.predecessors == others.suffix(16).reversed())
        let fingers = Set(
            (0..<160).compactMap { p in others.first { $0.id &- chord.me.id >= ChordID.power(ofTwo: p) } })
        #expect(Set(chord.fingers).isSuperset(of: fingers))
    }
}
