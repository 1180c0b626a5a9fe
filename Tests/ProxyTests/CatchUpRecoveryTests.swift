import NIOCore
import Testing
import VersionKitModel
import VersionKitProxy

@Suite("CatchUpRecovery")
struct CatchUpRecoveryTests {
    private func write(_ name: String, isIdempotent: Bool = false) -> MissedWrite {
        let bytes = ByteBuffer(string: name)
        return MissedWrite(.key(bytes), .replay(bytes, prelude: []), isIdempotent: isIdempotent)
    }

    private func recover(_ records: [CatchUpRecord], limits: Limits = .standard) -> CatchUpRecovery {
        var recovery = CatchUpRecovery(limits: limits)
        for record in records { recovery.add(record) }
        return recovery
    }

    /// What a queue brings to its version, step by step, when nothing goes wrong.
    private func drain(_ queue: inout CatchUpQueue) -> [[MissedWrite]] {
        var steps: [[MissedWrite]] = []
        while case .replay(let writes, let through)? = queue.next(10) {
            steps.append(writes)
            queue.done(through: through)
        }
        return steps
    }

    @Test("what is not done comes back in order, and new writes have higher numbers")
    func order() {
        let log = recover([
            .missed(write("a"), sequence: 4), .missed(write("b"), sequence: 5), .begun(through: 4), .done(through: 4),
            .missed(write("c"), sequence: 6),
        ])
        var queue = CatchUpQueue(copiesKeys: false, recovering: log)
        queue.append(write("d"))
        #expect(queue.lastSequence == 7)
        #expect(queue.missed(after: 5).map(\.sequence) == [6, 7])
        #expect(drain(&queue) == [[write("b")], [write("c")], [write("d")]])
        #expect(queue.dropped == 0)
        #expect(queue.bytes == 0)
    }

    @Test("a write of unknown fate is sent again only if it may be done twice")
    func unknownFate() {
        let (twice, once) = (write("a", isIdempotent: true), write("b"))
        let log = recover([
            .missed(twice, sequence: 1), .missed(once, sequence: 2), .missed(once, sequence: 3), .begun(through: 2),
        ])
        var queue = CatchUpQueue(copiesKeys: false, recovering: log)
        #expect(queue.dropped == 1)
        #expect(drain(&queue) == [[twice], [once]])
    }

    @Test("where keys cannot be copied, what was to be copied is given up")
    func copies() {
        let copies = [MissedWrite(.everything, .copy), MissedWrite(.key(ByteBuffer(string: "a")), .copy)]
        let log = recover(copies.enumerated().map { .missed($1, sequence: UInt64($0) + 1) })
        var queue = CatchUpQueue(copiesKeys: false, recovering: log)
        #expect(queue.dropped == 2)
        #expect(queue.next(10) == nil)
        // An adapter before this one could copy them.
        queue = CatchUpQueue(copiesKeys: false, recovering: recover([.everything]))
        #expect(queue.dropped == 1)
        #expect(queue.isEmpty)
    }

    @Test("where keys can be copied, whatever was missed is compared instead")
    func keyed() {
        for record in [CatchUpRecord.missed(write("a"), sequence: 1), .everything] {
            var queue = CatchUpQueue(copiesKeys: true, recovering: recover([record]))
            #expect(queue.next(10) == .everything)
        }
        var queue = CatchUpQueue(
            copiesKeys: true, recovering: recover([.missed(write("a"), sequence: 1), .done(through: 1)]))
        #expect(queue.next(10) == nil)
    }

    @Test(
        "a log that ends too early is noticed by the gap, counted where keys cannot be copied, compared where they can")
    func damage() {
        var log = recover([.missed(write("a"), sequence: 1), .missed(write("c"), sequence: 3)])
        #expect(log.damage != nil)
        var queue = CatchUpQueue(copiesKeys: false, recovering: log)
        #expect(queue.dropped == 1)
        #expect(drain(&queue) == [[write("a")], [write("c")]])
        log = recover([])
        #expect(log.isEmpty)
        log.noteDamage("torn")
        #expect(log.isEmpty == false)
        queue = CatchUpQueue(copiesKeys: true, recovering: log)
        #expect(queue.next(10) == .everything)
    }

    @Test("a write that is in the log twice is missed once, and one that was done before it was found again not at all")
    func twice() {
        let log = recover([
            .missed(write("a"), sequence: 1), .missed(write("a"), sequence: 1), .done(through: 2),
            .missed(write("b"), sequence: 2), .missed(write("c"), sequence: 3),
        ])
        #expect(log.damage == nil)
        #expect(log.count == 1)
    }

    @Test("numbers that no log comes to are damage, and new writes still get one")
    func numbers() {
        for record in [CatchUpRecord.missed(write("a"), sequence: .max), .done(through: .max), .begun(through: .max)] {
            let log = recover([record])
            #expect(log.damage != nil)
            var queue = CatchUpQueue(copiesKeys: false, recovering: log)
            queue.append(write("b"))
            #expect(drain(&queue) == [[write("b")]])
        }
    }

    @Test("no more writes come back than may wait")
    func limit() {
        var limits = Limits.standard
        limits.catchUpEntriesMax = 1
        let log = recover([.missed(write("a"), sequence: 1), .missed(write("b"), sequence: 2)], limits: limits)
        #expect(log.count == 1)
        #expect(log.damage != nil)
    }

    @Test("writes that may not be done twice are sent one by one, and an interruption costs one of them at most")
    func interruption() {
        var queue = CatchUpQueue(copiesKeys: false)
        let twice = write("t", isIdempotent: true)
        for write in [twice, twice, write("a"), write("b")] { queue.append(write) }
        #expect(queue.next(10) == .replay([twice, twice], through: 2))
        queue.begin(through: 2)
        #expect(queue.interrupt() == nil)
        #expect(queue.next(10) == .replay([twice, twice], through: 2))
        queue.done(through: 2)
        #expect(queue.next(10) == .replay([write("a")], through: 3))
        // Lost before it was sent.
        #expect(queue.interrupt() == nil)
        queue.begin(through: 3)
        #expect(queue.interrupt() == 3)
        #expect(queue.dropped == 1)
        #expect(drain(&queue) == [[write("b")]])
    }

    @Test("a queue that can take no more says so before writes are given up")
    func full() {
        var limits = Limits.standard
        limits.catchUpEntriesMax = 1
        var queue = CatchUpQueue(limits: limits, copiesKeys: false)
        #expect(queue.isFull == false)
        queue.append(write("a"))
        #expect(queue.isFull)
        #expect(queue.dropped == 0)
    }
}
