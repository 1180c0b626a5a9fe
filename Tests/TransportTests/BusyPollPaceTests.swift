import Testing
import VersionKitTransport

@Suite("BusyPollPace")
struct BusyPollPaceTests {
    /// How many turns with one event go by until there is a look again.
    private func pause(_ pace: inout BusyPollPace) -> Int {
        var count = 0
        while pace.turnEnded(events: 1) == .sleep { count += 1 }
        return count
    }

    @Test("at first every turn is worth a look, and it stays so as long as looking finds something")
    func finds() {
        var pace = BusyPollPace()
        for _ in 0..<10 {
            #expect(pace.turnEnded(events: 1) == .look)
            pace.looked(found: true)
        }
    }

    @Test("after each vain look twice as many turns go by, up to a bound")
    func doubles() {
        var pace = BusyPollPace()
        #expect(pause(&pace) == 0)
        var pauses: [Int] = []
        for _ in 0..<13 {
            pace.looked(found: false)
            pauses.append(pause(&pace))
        }
        #expect(pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024, 1024])
    }

    @Test("a look that finds something makes the next vain one count as the first")
    func recovers() {
        var pace = BusyPollPace()
        for _ in 0..<6 {
            _ = pause(&pace)
            pace.looked(found: false)
        }
        #expect(pause(&pace) == 32)
        pace.looked(found: true)
        #expect(pace.turnEnded(events: 1) == .look)
        pace.looked(found: false)
        #expect(pause(&pace) == 1)
    }

    @Test("a loop with much to do is not kept awake, and its turns shorten no pause")
    func busy() {
        var pace = BusyPollPace()
        #expect(pace.turnEnded(events: BusyPollPace.eventsMax + 1) == .sleep)
        #expect(pace.turnEnded(events: BusyPollPace.eventsMax) == .look)
        pace.looked(found: false)
        for _ in 0..<10 { #expect(pace.turnEnded(events: 100) == .sleep) }
        #expect(pause(&pace) == 1)
    }

    @Test("who asks once in a while costs one look in a thousand turns")
    func rare() {
        var pace = BusyPollPace()
        var looks = 0
        for _ in 0..<100_000 where pace.turnEnded(events: 1) == .look {
            looks += 1
            pace.looked(found: false)
        }
        #expect(looks < 110)
    }
}
