import Testing
import VersionKitControl
import VersionKitModel

@Suite("versionctl top")
struct TrafficTableTests {
    private func row(
        _ peer: String, path: String = "relay", connections: UInt64 = 0, out: UInt64 = 0, in bytes: UInt64 = 0
    )
        -> TrafficStatus
    {
        TrafficStatus(
            application: ApplicationID(rawValue: "cfs")!, version: 1, peer: peer, transport: .tcp, path: path,
            connections: connections, bytesOut: out, bytesIn: bytes)
    }

    @Test("Rates are what was added in a second, the most first")
    func rates() {
        let rates = TrafficTable.rates(
            [row("a", out: 300), row("b", connections: 10, in: 5000)], since: [row("a", out: 100), row("b", in: 1000)],
            seconds: 2)
        #expect(rates == [row("b", connections: 5, in: 2000), row("a", out: 100)])
    }

    @Test("Rows in which nothing happened are left out, and paths are kept apart")
    func quiet() {
        let rates = TrafficTable.rates(
            [row("a", out: 100), row("a", path: "ebpf", out: 50)], since: [row("a", out: 100)], seconds: 1)
        #expect(rates == [row("a", path: "ebpf", out: 50)])
    }

    @Test("Counters that began again count from 0")
    func again() {
        #expect(TrafficTable.rates([row("a", out: 30)], since: [row("a", out: 900)], seconds: 1) == [row("a", out: 30)])
    }

    @Test("Names stand to the left and numbers to the right")
    func text() {
        let lines = TrafficTable.text(of: [row("10.0.0.2", out: 1_234_567)]).split(separator: "\n")
        #expect(lines[0].hasPrefix("application  version  peer      proto  path "))
        #expect(lines[1].hasPrefix("cfs          1        10.0.0.2  tcp    relay"))
        #expect(lines[0].count == lines[1].count)
    }
}
