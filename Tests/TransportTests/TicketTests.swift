import NIOCore
import Testing
import VersionKitModel
import VersionKitProxy
@testable import VersionKitTransport

/// Whom a coordinator keeps in memory.
@Suite("Tickets that are given back")
struct TicketTests {
    private final class Owner: Sendable {}

    private func coordinator() -> WriteCoordinator {
        WriteCoordinator(limits: .standard, copiesKeys: true, store: nil) { _ in }
    }

    @Test("nothing is kept of one that was never granted")
    func neverGranted() {
        let writes = coordinator()
        let key = KeyMarks(.key(ByteBuffer(string: "a")))
        let first = WriteOrder.Ticket(owner: 1, number: 0)
        let second = WriteOrder.Ticket(owner: 2, number: 0)
        #expect(writes.order(first, key) { {} })
        weak var forgotten: Owner?
        do {
            let owner = Owner()
            forgotten = owner
            #expect(writes.order(second, key) { { _ = owner } } == false)
        }
        #expect(forgotten != nil)
        writes.finish(second)
        #expect(forgotten == nil)
        writes.finish(first)
        #expect(writes.order(second, key) { {} })
    }
}
