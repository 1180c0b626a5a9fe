import Testing
import VersionKitRouter

@Suite("Waiting room")
struct WaitingRoomTests {
    @Test("those who are due leave in the order in which they came, others stay")
    func due() {
        var room = WaitingRoom(patience: .seconds(5))
        room.join(1, at: .seconds(0))
        room.join(2, at: .seconds(1))
        room.join(3, at: .seconds(2))
        let first = room.deadline
        #expect(first == .seconds(5))
        #expect(room.expired(at: .seconds(6)) == [1, 2])
        #expect(room.count == 1)
        let oldest = room.oldest
        #expect(oldest == 3)
        #expect(room.expired(at: .seconds(6)) == [])
    }

    @Test("who left is neither the oldest nor due, and an empty room has no deadline")
    func left() {
        var room = WaitingRoom(patience: .seconds(5))
        room.join(1, at: .seconds(0))
        room.join(2, at: .seconds(0))
        room.leave(1)
        room.leave(7)
        let oldest = room.oldest
        #expect(oldest == 2)
        room.leave(2)
        let deadline = room.deadline
        #expect(deadline == nil)
        #expect(room.expired(at: .seconds(60)) == [])
    }

    @Test("many who come and go behind one who stays do not hide him")
    func manyPassThrough() {
        var room = WaitingRoom(patience: .seconds(5))
        room.join(0, at: .zero)
        for id in UInt64(1)...10_000 {
            room.join(id, at: .seconds(1))
            room.leave(id)
        }
        room.join(10_001, at: .seconds(2))
        #expect(room.count == 2)
        #expect(room.expired(at: .seconds(7)) == [0, 10_001])
    }

    @Test("it knows how long everybody has waited, who has left excepted")
    func waited() {
        var room = WaitingRoom(patience: .seconds(5))
        for id in UInt64(1)...3 { room.join(id, at: .seconds(Int64(id))) }
        room.leave(2)
        #expect(room.waited(at: .seconds(4)) == [1: .seconds(3), 3: .seconds(1)])
    }
}
