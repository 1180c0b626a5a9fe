import NIOCore
import Testing
import VersionKitProxy

@Suite("WriteOrder")
struct WriteOrderTests {
    private func ticket(_ owner: UInt64, _ number: Int = 0) -> WriteOrder.Ticket {
        WriteOrder.Ticket(owner: owner, number: number)
    }

    private func keys(_ names: String...) -> Keys { Keys(names.map { ByteBuffer(string: $0) }) }

    @Test("writes to different keys do not wait for each other")
    func differentKeys() {
        var order = WriteOrder()
        #expect(order.ask(ticket(1), for: keys("a")) == true)
        #expect(order.ask(ticket(2), for: keys("b")) == true)
    }

    @Test("the second write to a key has its turn when the first is finished")
    func sameKey() {
        var order = WriteOrder()
        #expect(order.ask(ticket(1), for: keys("a")) == true)
        #expect(order.ask(ticket(2), for: keys("a")) == false)
        #expect(order.finish(ticket(1)) == [ticket(2)])
        #expect(order.finish(ticket(2)) == [])
        #expect(order.count == 0)
    }

    @Test("a connection does not wait for itself, and others wait for all that it began before them")
    func sameOwner() {
        var order = WriteOrder()
        #expect(order.ask(ticket(1, 1), for: keys("a")) == true)
        #expect(order.ask(ticket(1, 2), for: keys("a")) == true)
        #expect(order.ask(ticket(2), for: keys("a")) == false)
        #expect(order.ask(ticket(1, 3), for: keys("a")) == false)
        #expect(order.finish(ticket(1, 1)) == [])
        #expect(order.finish(ticket(1, 2)) == [ticket(2)])
        #expect(order.finish(ticket(2)) == [ticket(1, 3)])
    }

    @Test("a write to several keys waits for all of them")
    func severalKeys() {
        var order = WriteOrder()
        #expect(order.ask(ticket(1), for: keys("a")) == true)
        #expect(order.ask(ticket(2), for: keys("b")) == true)
        #expect(order.ask(ticket(3), for: keys("a", "b")) == false)
        #expect(order.finish(ticket(1)) == [])
        #expect(order.finish(ticket(2)) == [ticket(3)])
    }

    @Test("a write to everything waits for all before it, and all after it wait")
    func everything() {
        var order = WriteOrder()
        #expect(order.ask(ticket(1), for: keys("a")) == true)
        #expect(order.ask(ticket(2), for: .everything) == false)
        #expect(order.ask(ticket(3), for: keys("b")) == false)
        #expect(order.finish(ticket(1)) == [ticket(2)])
        #expect(order.finish(ticket(2)) == [ticket(3)])
    }

    @Test("keys are equal whatever their order")
    func keysAreASet() {
        #expect(keys("a", "b", "c") == keys("c", "a", "b", "a"))
        #expect(keys("a", "a") == keys("a"))
        #expect(keys().isEmpty)
    }

    @Test("however many ask for however many keys, everybody has a turn, and nobody shares a key", arguments: 0..<20)
    func noCircles(_ seed: UInt64) throws {
        var state = seed
        func random(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var order = WriteOrder()
        var wanted: [WriteOrder.Ticket: Keys] = [:]
        var granted: Set<WriteOrder.Ticket> = []
        var finished = 0
        for number in 0..<400 {
            let names = (0...random(3)).map { _ in ByteBuffer(string: "\(random(6))") }
            let next = WriteOrder.Ticket(owner: random(5), number: number)
            wanted[next] = random(40) == 0 ? .everything : Keys(names)
            if order.ask(next, for: wanted[next] ?? .none) { granted.insert(next) }
            while random(2) == 0, let done = granted.min(by: { $0.number < $1.number }) {
                granted.remove(done)
                granted.formUnion(order.finish(done))
                finished += 1
            }
            for one in granted {
                for other in granted where one.owner != other.owner {
                    let (left, right) = (try #require(wanted[one]), try #require(wanted[other]))
                    let both = Set(left.names ?? []).intersection(right.names ?? [])
                    #expect(both.isEmpty && left != .everything && right != .everything)
                }
            }
        }
        while let done = granted.min(by: { $0.number < $1.number }) {
            granted.remove(done)
            granted.formUnion(order.finish(done))
            finished += 1
        }
        #expect(finished == 400)
        #expect(order.count == 0)
    }
}
