import NIOCore
import Testing
import VersionKitModel
import VersionKitProxy

@Suite("CatchUpQueue")
struct CatchUpQueueTests {
    private func key(_ name: String) -> ByteBuffer { ByteBuffer(string: name) }

    private func replay(_ names: String...) -> MissedWrite {
        MissedWrite(Keys(names.map(key)), .replay(key("write " + names.joined()), prelude: []))
    }

    private func copy(_ name: String) -> MissedWrite { MissedWrite(.key(key(name)), .copy) }

    @Test("missed writes come back in order, those of one session together")
    func inOrder() {
        var queue = CatchUpQueue(copiesKeys: true)
        queue.append(replay("a"))
        queue.append(replay("b"))
        queue.append(MissedWrite(.key(key("c")), .replay(key("write c"), prelude: [key("hello")])))
        #expect(queue.next(10) == .replay([replay("a"), replay("b")], through: 2))
        queue.done(through: 2)
        #expect(queue.count == 1)
        queue.done(through: 3)
        #expect(queue.next(10) == nil)
        #expect(queue.isEmpty)
        #expect(queue.bytes == 0)
    }

    @Test("a write whose keys were copied since is left out, one that was partly copied is copied as a whole")
    func copied() {
        var queue = CatchUpQueue(copiesKeys: true)
        queue.append(replay("a"))
        queue.append(replay("a", "b"))
        queue.append(replay("c"))
        queue.copied([key("a")])
        guard case .copy(let keys, through: 2)? = queue.next(10) else {
            Issue.record("not a copy")
            return
        }
        #expect(Set(keys) == [key("a"), key("b")])
        queue.copied(keys)
        queue.done(through: 2)
        #expect(queue.next(10) == .replay([replay("c")], through: 3))
        // What comes after a copy counts again.
        queue.append(replay("a"))
        queue.done(through: 3)
        #expect(queue.next(10) == .replay([replay("a")], through: 4))
    }

    @Test("copies of many keys are made together, up to a number")
    func copies() {
        var queue = CatchUpQueue(copiesKeys: true)
        for name in ["a", "b", "c"] { queue.append(copy(name)) }
        guard case .copy(let keys, through: 2)? = queue.next(2) else {
            Issue.record("not a copy")
            return
        }
        #expect(Set(keys) == [key("a"), key("b")])
    }

    @Test("more than the limit is not kept: everything is compared, or the loss is counted")
    func overflow() {
        var limits = Limits.standard
        limits.catchUpEntriesMax = 2
        var queue = CatchUpQueue(limits: limits, copiesKeys: true)
        for name in ["a", "b", "c", "d"] { queue.append(replay(name)) }
        #expect(queue.next(10) == .everything)
        #expect(queue.bytes == 0)
        queue = CatchUpQueue(limits: limits, copiesKeys: false)
        for name in ["a", "b", "c", "d"] { queue.append(replay(name)) }
        #expect(queue.dropped == 2)
        #expect(queue.next(10) == .replay([replay("a")], through: 1))
        queue.done(through: 1)
        #expect(queue.next(10) == .replay([replay("b")], through: 2))
    }

    @Test("a copy of everything means that everything is compared")
    func everything() {
        var queue = CatchUpQueue(copiesKeys: true)
        queue.append(replay("a"))
        queue.append(MissedWrite(.everything, .copy))
        #expect(queue.next(10) == .everything)
        #expect(queue.count == 1)
    }

    private let flush = MissedWrite(.everything, .replay(ByteBuffer(string: "flush"), prelude: []))

    @Test("a write to all keys that nothing was copied before is replayed in its place")
    func everythingInOrder() {
        var queue = CatchUpQueue(copiesKeys: true)
        queue.append(replay("a"))
        queue.append(flush)
        #expect(queue.next(10) == .replay([replay("a"), flush], through: 2))
    }

    @Test("a write to all keys that comes after a copied one is not replayed over the copy")
    func everythingAfterCopy() {
        var queue = CatchUpQueue(copiesKeys: true)
        queue.append(copy("a"))
        queue.append(flush)
        queue.append(replay("a"))
        #expect(queue.next(10) == .copy([key("a")], through: 1))
        queue.copied([key("a")])
        queue.done(through: 1)
        #expect(queue.next(10) == .everything)
    }

    @Test("a write to all keys is no part of the copies before it, even if another key was copied since")
    func everythingAmongCopies() {
        var queue = CatchUpQueue(copiesKeys: true)
        queue.append(copy("a"))
        queue.append(flush)
        queue.copied([key("z")])
        #expect(queue.next(10) == .copy([key("a")], through: 1))
    }

    @Test("writes that come while a step is under way are kept")
    func meanwhile() {
        var queue = CatchUpQueue(copiesKeys: false)
        queue.append(replay("a"))
        #expect(queue.next(1) == .replay([replay("a")], through: 1))
        queue.append(replay("b"))
        queue.done(through: 1)
        #expect(queue.next(1) == .replay([replay("b")], through: 2))
    }

    @Test("its bytes are limited too")
    func bytes() {
        var limits = Limits.standard
        limits.catchUpBytesMax = replay("a").size
        var queue = CatchUpQueue(limits: limits, copiesKeys: false)
        queue.append(replay("a"))
        queue.append(replay("b"))
        #expect(queue.dropped == 1)
        #expect(queue.count == 1)
        #expect(queue.bytes == replay("a").size)
    }
}
