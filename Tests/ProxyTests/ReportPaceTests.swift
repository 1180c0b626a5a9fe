import Testing
import VersionKitProxy

@Suite("How often a proxy reports")
struct ReportPaceTests {
    @Test("often while something happens, rarely while nothing does")
    func pace() {
        var pace = ReportPace()
        let intervals = [1, 2, 2, 2, 3, 3].map { (requests: UInt64) in
            var counters = ProxyCounters()
            counters.requests = requests
            return pace.interval(after: counters)
        }
        let (busy, idle) = (ReportPace.busyInterval, ReportPace.idleInterval)
        #expect(intervals == [busy, busy, idle, idle, busy, idle])
    }
}
