import CFSModel
import CFSRing
import CFSSimulation
import Testing

/// A node among others that say anything.
///
/// Method: every question is answered by chance, by a reply of any kind; questions of any kind come in; times pass. What must
/// hold: the node goes on, answers each question once at most, and what it has open does not grow.
@Suite("A node among liars")
struct HostileTests {
    struct World {
        var random: SeededRandom
        var node: RingNode
        var now = Duration.zero
        var asked: [RequestID] = []
        var timers: [RingTimer] = []
        var tickets: Set<Ticket> = []
        var answered: Set<Ticket> = []
        var most = 0

        init(seed: UInt64, generation: Generation = .first) throws {
            random = SeededRandom(seed: seed)
            let me = ChordNode(try #require(RingSimulation.address(0)))
            node = RingNode(
                me: me, store: MemoryStore(capacity: 100_000), rules: TestRules(), chord: generation.chord,
                dhash: generation.dhash)
            let other = someNode()
            perform(node.join(through: other, using: &random))
        }

        mutating func perform(_ actions: [RingAction]) {
            for action in actions {
                switch action {
                case .ask(let request, _, _): asked.append(request)
                case .wake(let timer, _): timers.append(timer)
                case .answer(let ticket, _):
                    if !tickets.contains(ticket) || !answered.insert(ticket).inserted {
                        Issue.record("answered twice, or without a question")
                    }
                default: break
                }
            }
            most = max(most, asked.count)
        }

        mutating func step() {
            now += .milliseconds(Int64.random(in: 0...5000, using: &random))
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4 where !asked.isEmpty:
                let request = asked.remove(at: Int.random(in: 0..<asked.count, using: &random))
                let (reply, answering) = (someReply(), someNode())
                let roundTrip = Duration.microseconds(Int64(someNumber([0, 1, 40_000, 1 << 40])))
                perform(
                    node.receive(reply, to: request, from: answering, roundTrip: roundTrip, at: now, using: &random))
            case 4 where !asked.isEmpty:
                perform(node.fail(asked.removeFirst(), at: now, using: &random))
            case 5, 6:
                let timer = timers.remove(at: Int.random(in: 0..<timers.count, using: &random))
                perform(node.fire(timer, at: now, using: &random))
            case 7:
                let (_, actions) =
                    Bool.random(using: &random)
                    ? node.fetch(someKey(), at: now, using: &random)
                    : node.insert(someBytes(), someKey(), at: now, using: &random)
                perform(actions)
            default:
                let ticket = Ticket(UInt64(tickets.count))
                tickets.insert(ticket)
                let (request, asker) = (someRequest(), someNode())
                perform(node.answer(request, from: asker, ticket: ticket, at: now, using: &random))
            }
        }

        // Whatever others might say.

        mutating func someNumber(_ numbers: [Int]) -> Int {
            numbers[Int.random(in: 0..<numbers.count, using: &random)]
        }

        mutating func someNode() -> ChordNode {
            let index = Int.random(in: 0..<60, using: &random)
            let far = someNumber([0, 1, 50_000, -50_000, Int(Int32.max), Int(Int32.min)])
            let place = Coordinates(x: Int32(far), y: Int32(far), height: Int32(far), error: Int32(clamping: far))
            return RingSimulation.address(index).map { ChordNode($0, coordinates: place) } ?? node.chord.me
        }

        mutating func someNodes() -> [ChordNode] {
            (0..<someNumber([0, 1, 3, 17, 100])).map { _ in someNode() }
        }

        mutating func someID() -> ChordID {
            switch Int.random(in: 0..<4, using: &random) {
            case 0: ChordID(UInt64.random(in: 0...3, using: &random))
            case 1: someNode().id
            case 2: ChordID(hashing: [UInt8.random(in: 0...7, using: &random)])
            default: ChordID(using: &random)
            }
        }

        mutating func someKey() -> BlockKey {
            BlockKey(someID(), BlockType.allCases[Int.random(in: 0..<3, using: &random)])
        }

        mutating func someBytes() -> [UInt8] {
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                TestRules.block(
                    UInt8.random(in: 0...7, using: &random), version: UInt8.random(in: 0...3, using: &random))
            case 1: Dispersal.fragments(of: [1, 2, 3], needed: 2, count: 1, using: &random)[0].encoded
            case 2: SystematicCode.anotherFragment(of: [1, 2, 3], needed: 2, using: &random).encoded
            default: (0..<someNumber([0, 1, 20, 2000])).map { _ in UInt8.random(in: 0...255, using: &random) }
            }
        }

        mutating func someMerkleNode() -> MerkleNode {
            let level = someNumber([-1, 0, 0, 1, 2, 27, 28])
            let prefix = Bool.random(using: &random) ? someID() : someID().merklePrefix(min(max(0, level), 27))
            let ids = (0..<someNumber([0, 1, 64, 65])).map { _ in someID() }
            return MerkleNode(
                level: level, prefix: prefix, count: UInt64(ids.count), hash: MerkleHash(key: someID()),
                content: Bool.random(using: &random) ? .leaf(ids) : .inner(ids.map { MerkleHash(key: $0) }))
        }

        mutating func someRequest() -> RingRequest {
            switch Int.random(in: 0..<16, using: &random) {
            case 0: .chord(.ping)
            case 1: .chord(.successor)
            case 2: .chord(.predecessor)
            case 3: .chord(.successorList)
            case 4: .chord(.predecessorList)
            case 5: .chord(.fingers)
            case 6: .chord(.notify(someNode()))
            case 7: .chord(.alert(someNode()))
            case 8: .chord(.testRange(someID(), failed: someNodes().map(\.id)))
            case 9: .chord(.findRoute(someID(), withSuccessors: Bool.random(using: &random)))
            case 10:
                .dhash(
                    .store(
                        StoreRequest(
                            key: someKey(),
                            purpose: [.store, .cache, .fragment, .replica][Int.random(in: 0..<4, using: &random)],
                            size: someNumber([-1, 0, 3, 20, 4000, .max]), offset: someNumber([-1, 0, 3, .max]),
                            data: someBytes(), expiration: UInt32(someNumber([0, 1, Int(UInt32.max)])))))
            case 11:
                .dhash(
                    .fetch(
                        FetchRequest(
                            key: someKey(), isFragment: Bool.random(using: &random),
                            start: someNumber([-1, 0, 5, .max]),
                            length: someNumber([-1, 0, 5, 1210, .max]), cookie: 0)))
            case 13:
                .chord(
                    .route(
                        Route(
                            number: UInt32(someNumber([0, 1, 7])), origin: someNode(), target: someID(),
                            wanted: someNumber([-1, 0, 14, .max]), retries: someNumber([-1, 0, .max - 1]),
                            path: someNodes())))
            case 14:
                .chord(
                    .routeEnd(
                        RouteEnd(
                            number: UInt32(someNumber([0, 1, 7])), path: someNodes(), retries: someNumber([-1, .max]),
                            successors: Bool.random(using: &random) ? someNodes() : nil)))
            case 12: .dhash(.offer(someNodes().map(\.id)))
            default:
                .merkle(
                    Bool.random(using: &random)
                        ? .sendNode(KeyRange(from: someID(), through: someID()), someMerkleNode())
                        : .getKeys(KeyRange(from: someID(), through: someID())))
            }
        }

        mutating func someReply() -> RingReply {
            switch Int.random(in: 0..<14, using: &random) {
            case 0: .chord(.done)
            case 1: .chord(.node(someNode()))
            case 2: .chord(.nodes(someNodes()))
            case 3, 4: .chord(.inRange(someNodes()))
            case 5: .chord(.notInRange(someNode(), successors: someNodes()))
            case 6: .chord(.failed(.noEntry))
            case 7, 8: .dhash(.stored(wasPresent: Bool.random(using: &random), isDone: Bool.random(using: &random)))
            case 9: .dhash(.retry(someNode()))
            case 10, 11:
                .dhash(
                    .piece(
                        someBytes(), offset: someNumber([-1, 0, 0, 0, 1210, .max]),
                        size: someNumber([-1, 0, 20, 2000, 5000, .max]), cookie: 0,
                        expiration: UInt32(someNumber([0, 1, Int(UInt32.max)]))))
            case 12: .dhash(.offered((0..<someNumber([0, 1, 46])).map { _ in .accept }))
            default: .merkle(Bool.random(using: &random) ? .node(someMerkleNode()) : .keys([someID()], hasMore: true))
            }
        }
    }

    @Test("whatever is said, it goes on", arguments: 0..<12 as Range<UInt64>)
    func goesOn(seed: UInt64) throws {
        let generation = seed % 2 == 0 ? Generation.first : .second
        var world = try World(seed: seed, generation: generation)
        for _ in 0..<1200 { world.step() }
        #expect(world.node.chord.successors.count <= generation.chord.neighbours)
        #expect(world.most < 20_000)
        #expect((world.node.dhash.store as? MemoryStore)?.byteCount ?? .max <= 100_000)
    }
}
