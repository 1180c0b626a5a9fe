import Testing
import VersionKitModel
import VersionKitRouter
import VersionKitWire

@Suite("ReplayGuard")
struct ReplayGuardTests {
    private func message(at stamp: Int64, nonce: Int = 0) -> FleetMessage {
        let bytes = (0..<FleetMessage.nonceBytes).map { UInt8(truncatingIfNeeded: nonce >> ($0 * 8 & 63)) }
        return FleetMessage(
            application: ApplicationID(rawValue: "irislog")!, news: .serving([1]), sender: IPAddress(v4: 1),
            receiver: IPAddress(v4: 2), stamp: stamp, nonce: bytes)
    }

    @Test("a message comes in once, another one of the same time does too")
    func once() throws {
        var entrance = ReplayGuard(since: 0)
        try entrance.admit(message(at: 1000), at: 1000)
        #expect(throws: ReplayGuard.Refusal.replayed) { try entrance.admit(message(at: 1000), at: 1001) }
        try entrance.admit(message(at: 1000, nonce: 1), at: 1001)
    }

    @Test("a message that is too old, too new, or older than the memory is refused")
    func stale() throws {
        var entrance = ReplayGuard(since: 100_000)
        for stamp: Int64 in [99_999, 139_999, 260_001] {
            #expect(throws: ReplayGuard.Refusal.stale, "\(stamp)") {
                try entrance.admit(message(at: stamp), at: 200_000)
            }
        }
        try entrance.admit(message(at: 140_000), at: 200_000)
        try entrance.admit(message(at: 260_000), at: 200_000)
    }

    @Test(
        "of two clocks one is enough, whichever was set and however far",
        arguments: [-86_400_000, 86_400_000] as [Int64])
    func setClocks(jump: Int64) throws {
        let now: Int64 = 1_000_000_000
        var entrance = ReplayGuard(since: now)
        // The clock was set: messages by the time that goes on come in, and once only.
        try entrance.admit(message(at: now + 5000), at: now + 6000, clock: now + 6000 + jump)
        #expect(throws: ReplayGuard.Refusal.replayed) {
            try entrance.admit(message(at: now + 5000), at: now + 7000, clock: now + 7000 + jump)
        }
        // The node began with a clock that was wrong, and set since.
        try entrance.admit(message(at: now + jump + 5000), at: now + 6000, clock: now + jump + 6000)
        // What neither shows does not come in, nor what was made before the node began.
        #expect(throws: ReplayGuard.Refusal.stale) {
            try entrance.admit(message(at: now + 2 * jump), at: now + 6000, clock: now + 6000 + jump)
        }
        #expect(throws: ReplayGuard.Refusal.stale) {
            try entrance.admit(message(at: now + jump - 1), at: now + 6000, clock: now + jump + 6000)
        }
    }

    @Test("with a full memory nothing comes in until what it holds is stale")
    func bounded() throws {
        var entrance = ReplayGuard(since: 0)
        for number in 0..<ReplayGuard.messagesMax { try entrance.admit(message(at: 1000, nonce: number), at: 1000) }
        #expect(throws: ReplayGuard.Refusal.full) { try entrance.admit(message(at: 1000, nonce: -1), at: 1000) }
        #expect(entrance.count == ReplayGuard.messagesMax)
        let later = 1001 + ReplayGuard.freshness
        try entrance.admit(message(at: later), at: later)
        #expect(entrance.count == 1)
    }
}
