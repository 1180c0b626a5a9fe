import Testing

@testable import VersionKitKernel

/// When a conversation is forgotten.
@Suite("Age of conversations")
struct FlowAgeTests {
    private let age = FlowAge()
    private let alive = FlowAge.Direction(seen: 1000, spoke: true)

    /// The idle time after which it is over, in seconds.
    private func limit(_ one: FlowAge.Direction, _ other: FlowAge.Direction?, isTCP: Bool = true) -> UInt32? {
        [age.ended, age.opening, age.datagrams, age.connection].sorted().first { limit in
            age.isOver(one, other, isTCP: isTCP, now: 1000 + limit + 1)
                && !age.isOver(one, other, isTCP: isTCP, now: 1000 + limit)
        }
    }

    @Test("a living connection is remembered for days, also when one end is finished")
    func living() {
        #expect(limit(alive, alive) == age.connection)
        let finished = FlowAge.Direction(seen: 1000, spoke: true, isFinished: true)
        #expect(limit(alive, finished) == age.connection)
        #expect(limit(finished, alive) == age.connection)
    }

    @Test("a connection that both ends finished, or one reset, is soon forgotten")
    func ended() {
        let finished = FlowAge.Direction(seen: 1000, spoke: true, isFinished: true)
        let reset = FlowAge.Direction(seen: 1000, spoke: true, isReset: true)
        #expect(limit(finished, finished) == age.ended)
        #expect(limit(reset, alive) == age.ended)
        #expect(limit(alive, reset) == age.ended)
    }

    @Test("a connection that was never answered is forgotten")
    func opening() {
        #expect(limit(alive, FlowAge.Direction(seen: 900)) == age.opening)
        #expect(limit(alive, nil) == age.opening)
    }

    @Test("datagrams are forgotten after a while")
    func datagrams() {
        #expect(limit(alive, nil, isTCP: false) == age.datagrams)
        #expect(limit(FlowAge.Direction(seen: 10), alive, isTCP: false) == age.datagrams)
    }

    @Test("what was seen after now is young")
    func clocks() {
        #expect(!age.isOver(alive, alive, isTCP: false, now: 999))
    }
}
