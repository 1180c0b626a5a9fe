import Testing
import VersionKitRouter

@Suite("Stamps of messages")
struct MessageStampsTests {
    @Test("they grow, however quickly messages follow each other, and when the clock goes back a little")
    func growing() {
        var stamps = MessageStamps()
        #expect([1000, 1000, 999, 1001, 2000].map { stamps.next(at: $0) } == [1000, 1001, 1002, 1003, 2000])
    }

    @Test("a clock that was a day ahead does not leave its mark")
    func setBack() {
        var stamps = MessageStamps(after: 86_400_000)
        #expect(stamps.next(at: 1000) == 1000)
        #expect(stamps.next(at: 1000) == 1001)
    }
}
