import CFSModel
import CFSRing
import CFSSimulation
import Testing

@Suite("Simulated rings of generation 2")
struct RecursiveRingTests {
    /// With few neighbours, so that a small ring has fingers.
    private func ring(_ nodes: Int, seed: UInt64, loss: Double = 0, settle: Duration = .seconds(120)) -> RingSimulation
    {
        var network = Network.realistic
        network.loss = loss
        var parameters = ChordParameters.generation2
        parameters.neighbours = 6
        parameters.slotsPerRound = 4
        var ring = RingSimulation(seed: seed, network: network, parameters: parameters)
        ring.grow(to: nodes, perSecond: 0.5, settle: settle)
        return ring
    }

    @Test("nodes find their places, and fill their slots with fingers that live")
    func growth() {
        var ring = ring(45, seed: 1)
        let state = ring.correctness()
        #expect(state.isRing && state.nodes == 45)
        #expect(state.fingers > 0.97)
        let hops = ring.measureLookups(120)
        #expect(hops.right == 120)
        #expect(hops.mean < 2.6)
    }

    @Test("answers come sooner than in generation 1, and by fewer hops")
    func comparison() {
        func measured(_ parameters: ChordParameters) -> RingSimulation.Hops {
            var parameters = parameters
            parameters.neighbours = 6
            parameters.slotsPerRound = 4
            var ring = RingSimulation(seed: 2, network: .realistic, parameters: parameters)
            ring.grow(to: 45, perSecond: 0.5, settle: .seconds(120))
            return ring.measureLookups(200)
        }
        let (first, second) = (measured(ChordParameters()), measured(.generation2))
        #expect(second.mean < first.mean)
        #expect(second.time(of: 0.5) < first.time(of: 0.5) * 2 / 3)
    }

    @Test("a ring that loses messages still finds everything")
    func loss() {
        var ring = ring(30, seed: 3, loss: 0.03)
        #expect(ring.measureLookups(60).right == 60)
    }

    @Test("a quarter dies at once: lookups go around the dead, each in bounded time, until the ring is closed again")
    func deaths() {
        var ring = ring(48, seed: 4)
        for index in ring.randomLiving(12) { ring.kill(index) }
        let parameters = ChordParameters.generation2
        let bound = parameters.routePatience * parameters.routeAttempts
        let at = ring.elapsed
        let hops = ring.measureLookups(36)
        #expect(hops.count == 36)
        #expect(hops.right >= 33)
        #expect(ring.elapsed - at <= bound + .seconds(1))
        ring.run(for: .seconds(300))
        #expect(ring.correctness().isRing)
        #expect(ring.measureLookups(36).right == 36)
    }

    @Test("the same seed gives the same run")
    func determinism() {
        func run() -> (Int, Double) {
            var ring = ring(14, seed: 5, settle: .seconds(30))
            return (ring.requests, ring.measureLookups(20).mean)
        }
        #expect(run() == run())
    }
}

@Suite("One node of generation 2")
struct RoutingTests {
    private var random = seeded()
    private var node: RingNode
    private let others: [ChordNode]

    init() throws {
        let nodes = try (0..<20).map { ChordNode(try #require(RingSimulation.address($0))) }
        others = Array(nodes.dropFirst())
        node = RingNode(me: nodes[0], store: MemoryStore(), chord: .generation2)
        let actions = node.join(through: others[0], using: &random)
        // All others are its neighbours.
        for case .ask(let request, _, .chord(.findRoute)) in actions {
            _ = node.receive(.chord(.nodes(others)), to: request, at: .zero, using: &random)
        }
    }

    private func asked(_ actions: [RingAction]) -> [(id: RequestID, node: ChordNode, route: Route)] {
        actions.compactMap {
            if case .ask(let id, let node, .chord(.route(let route))) = $0 { (id, node, route) } else { nil }
        }
    }

    private mutating func say(_ request: ChordRequest, ticket: UInt64 = 1) -> [RingAction] {
        node.answer(.chord(request), from: others[1], ticket: Ticket(ticket), at: .zero, using: &random)
    }

    /// An id in the middle between this node's second neighbour and third, which others know better.
    private var target: ChordID { node.chord.successors[2].id.previous }

    @Test("a question goes to the one who knows, who is the last before the id")
    mutating func sendsOff() throws {
        let (_, actions) = node.lookUp(target, at: .zero)
        let first = try #require(asked(actions).first)
        #expect(first.node == node.chord.successors[1])
        #expect(first.route.origin == node.chord.me && first.route.path == [first.node])
    }

    @Test("who takes too long is left out, and the question goes another way")
    mutating func lateHop() throws {
        let (_, actions) = node.lookUp(target, at: .zero)
        let timers = actions.compactMap { if case .wake(let timer, let after) = $0 { (timer, after) } else { nil } }
        let soonest = try #require(timers.min { $0.1 < $1.1 })
        let again = asked(node.fire(soonest.0, at: soonest.1, using: &random))
        #expect(again.map(\.node) == [node.chord.successors[0]])
        #expect(again.first?.route.retries == 1)
        // Late or not: whoever answers first counts.
        let number = try #require(again.first?.route.number)
        let end = RouteEnd(number: number, path: [others[2]], retries: 1, successors: [others[3]])
        let done = say(.routeEnd(end))
        #expect(done.contains { if case .lookedUp(_, .success(let found)) = $0 { found.failures >= 1 } else { false } })
        #expect(!say(.routeEnd(end), ticket: 2).contains { if case .lookedUp = $0 { true } else { false } })
    }

    @Test("a lookup that everybody takes and nobody answers fails in the end")
    mutating func nobody() {
        let (lookup, actions) = node.lookUp(target, at: .zero)
        var queue = actions
        var ends: [RingAction] = []
        var asks = 0
        for second in 1...20 where ends.isEmpty {
            var next: [RingAction] = []
            for (id, _, _) in asked(queue) {
                asks += 1
                next += node.receive(.chord(.done), to: id, at: .seconds(second), using: &random)
            }
            for case .wake(.chord(.route(let lookup, let attempt)), _) in queue {
                next += node.fire(.chord(.route(lookup, attempt: attempt)), at: .seconds(second), using: &random)
            }
            ends += next.filter { if case .lookedUp = $0 { true } else { false } }
            queue = next
        }
        #expect(asks == ChordParameters.generation2.routeAttempts)
        #expect(ends == [.lookedUp(lookup, .failure(.unreachable))])
    }

    @Test("if nobody between this node and an id takes a question, this node is the last before it")
    mutating func lastBefore() throws {
        let successors = node.chord.successors
        let (_, actions) = node.lookUp(target, at: .zero)
        var queue = actions
        for _ in 0..<2 {
            let timers = queue.compactMap { if case .wake(let timer, let after) = $0 { (timer, after) } else { nil } }
            let soonest = try #require(timers.min { $0.1 < $1.1 })
            queue = node.fire(soonest.0, at: soonest.1, using: &random)
        }
        let found = queue.compactMap { if case .lookedUp(_, .success(let found)) = $0 { found } else { nil } }
        #expect(found.first?.successors == Array(successors[2...]))
    }

    @Test("an end that nobody asked for changes nothing")
    mutating func forgery() {
        let (_, before) = node.lookUp(target, at: .zero)
        let number = asked(before)[0].route.number
        let end = RouteEnd(number: number &+ 1, path: [], retries: 0, successors: [others[4]])
        #expect(say(.routeEnd(end)) == [.answer(Ticket(1), .chord(.done))])
    }

    @Test("another's question is taken and passed on; its answer goes straight to who asked")
    mutating func passesOn() throws {
        let route = Route(number: 7, origin: others[5], target: target, wanted: 0)
        let actions = say(.route(route))
        #expect(actions.contains(.answer(Ticket(1), .chord(.done))))
        #expect(asked(actions).first?.route.path.count == 1)
        let here = Route(number: 8, origin: others[5], target: node.chord.me.id.next, wanted: 0, path: [node.chord.me])
        let ends = say(.route(here), ticket: 2)
        let successors = node.chord.successors
        #expect(
            ends.contains {
                guard case .ask(_, let asked, .chord(.routeEnd(let end))) = $0 else { return false }
                return asked == others[5] && end.successors == successors && end.path == [node.chord.me]
            })
    }

    @Test("a question that went around too long is refused, and so is one too many")
    mutating func limits() {
        let path = [ChordNode](repeating: others[0], count: CFSLimits.routeHops + 1)
        let long = Route(number: 1, origin: others[5], target: target, wanted: 0, path: path)
        #expect(say(.route(long)) == [.answer(Ticket(1), .chord(.failed(.unreachable)))])
        var refused = 0
        for number in 0..<UInt32(CFSLimits.forwardedRoutes) + 10 {
            let actions = say(
                .route(Route(number: number, origin: others[5], target: target, wanted: 0)), ticket: UInt64(number))
            if actions.contains(.answer(Ticket(UInt64(number)), .chord(.failed(.unreachable)))) { refused += 1 }
        }
        #expect(refused == 10)
    }
}
