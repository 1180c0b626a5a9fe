import NIOCore
import Testing
import VersionKitProxy
import VersionKitTesting

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

    @Test("a ticket may be given back before it was granted, and those behind it go on")
    func givenBack() {
        var order = WriteOrder()
        #expect(order.ask(ticket(1), for: keys("a")) == true)
        #expect(order.ask(ticket(2), for: .everything) == false)
        #expect(order.ask(ticket(3), for: keys("b")) == false)
        #expect(order.finish(ticket(2)) == [ticket(3)])
        #expect(order.ask(ticket(4), for: keys("a")) == false)
        #expect(order.finish(ticket(4)) == [])
        #expect(order.finish(ticket(1)) == [])
        #expect(order.finish(ticket(3)) == [])
        #expect(order.count == 0)
    }

    @Test("a ticket that is not in the order changes nothing")
    func unknown() {
        var order = WriteOrder()
        #expect(order.ask(ticket(1), for: keys("a")) == true)
        #expect(order.finish(ticket(7, 7)) == [])
        #expect(order.count == 1)
    }

    /// Connections that ask and finish at random. As they do, what is granted they send, and finish, in their own order.
    private struct Crowd {
        var random: SeededGenerator
        var order = WriteOrder()
        var wanted: [WriteOrder.Ticket: Keys] = [:]
        var granted: Set<WriteOrder.Ticket> = []
        var waiting: [UInt64: [WriteOrder.Ticket]] = [:]
        var asked = 0

        /// What can be finished: each connection's first tickets, as far as they are granted.
        var startable: [WriteOrder.Ticket] {
            waiting.keys.sorted().flatMap { waiting[$0, default: []].prefix { granted.contains($0) } }
        }

        mutating func ask() {
            asked += 1
            let next = WriteOrder.Ticket(owner: UInt64.random(in: 1...4, using: &random), number: asked)
            let names = (0...Int.random(in: 0...2, using: &random)).map { _ in
                ByteBuffer(integer: UInt8.random(in: 0...3, using: &random))
            }
            let keys: Keys = Int.random(in: 0..<10, using: &random) == 0 ? .everything : Keys(names)
            wanted[next] = keys
            waiting[next.owner, default: []].append(next)
            if order.ask(next, for: keys) { granted.insert(next) }
        }

        /// Whether all that was granted by this had been asked for and not been granted before.
        mutating func finish(_ done: WriteOrder.Ticket) -> Bool {
            wanted[done] = nil
            granted.remove(done)
            waiting[done.owner]?.removeAll { $0 == done }
            return order.finish(done).allSatisfy { granted.insert($0).inserted && wanted[$0] != nil }
        }

        /// Whether two connections have one key.
        var isShared: Bool {
            granted.contains { one in
                granted.contains { other in
                    guard one.owner != other.owner else { return false }
                    guard let mine = wanted[one]?.names, let theirs = wanted[other]?.names else { return true }
                    return !Set(mine).isDisjoint(with: theirs)
                }
            }
        }
    }

    @Test("however many ask for however many keys, everybody has a turn, and nobody shares a key", arguments: 0..<50)
    func noCircles(_ seed: UInt64) throws {
        var crowd = Crowd(random: SeededGenerator(seed: seed))
        while crowd.asked < 100 || !crowd.wanted.isEmpty {
            let startable = crowd.startable
            if crowd.asked < 100, startable.isEmpty || Bool.random(using: &crowd.random) {
                crowd.ask()
            } else {
                let done = try #require(startable.randomElement(using: &crowd.random), "they wait in a circle")
                try #require(crowd.finish(done) == true)
            }
            try #require(!crowd.isShared)
        }
        #expect(crowd.order.count == 0)
    }

    private func mark(_ name: String) -> KeyMark { KeyMark(ByteBuffer(string: name)) }

    @Test(
        "a write to several keys waits for those of its own connection that touch some of them, and later ones for it")
    func severalWait() {
        var order = WriteOrder()
        let tickets = (0..<5).map { WriteOrder.Ticket(owner: 1, number: $0) }
        let both = KeyMarks.several([mark("a"), mark("b")])
        #expect(order.ask(tickets[0], by: .one(mark("a"))) == true)
        #expect(order.ask(tickets[1], by: .each([mark("b"), mark("c")])) == true)
        #expect(order.ask(tickets[2], by: both) == false)
        #expect(order.ask(tickets[3], by: both) == false)
        #expect(order.ask(tickets[4], by: .one(mark("b"))) == false)
        #expect(order.finish(tickets[0]) == [])
        #expect(order.finish(tickets[1]) == [tickets[2], tickets[3], tickets[4]])
        for ticket in tickets.dropFirst(2) { #expect(order.finish(ticket) == []) }
        #expect(order.count == 0)
    }

    @Test("of one connection, runs of writes to one key each, and writes to the same keys, are under way together")
    func together() {
        var order = WriteOrder()
        let tickets = (0..<4).map { WriteOrder.Ticket(owner: 1, number: $0) }
        let both = KeyMarks.several([mark("a"), mark("b")])
        #expect(order.ask(tickets[0], by: both) == true)
        #expect(order.ask(tickets[1], by: both) == true)
        #expect(order.ask(tickets[2], by: .each([mark("a"), mark("a")])) == true)
        #expect(order.ask(tickets[3], by: .one(mark("b"))) == true)
    }
}
