import CLinux
import Glibc
import Synchronization
import Testing
import VersionKitModel

@testable import VersionKitTestbed

/// With a network: these need `scripts/sandbox`. One at a time, since they measure.
@Suite(.serialized) struct TestbedTests {
    private func pair(_ link: Link, between segments: Link? = nil) throws -> Testbed {
        var plan = TestbedPlan()
        plan.segment("one")
        plan.segment("two")
        plan.link("one", "two", segments ?? .direct)
        plan.host("a", address: "10.99.0.1", on: "one", link: link)
        plan.host("b", address: "10.99.0.2", on: "two")
        return try Testbed(plan)
    }

    /// How long a datagram takes to b and back at best. The first ones find out addresses and do not count.
    private func roundTrip(_ testbed: Testbed, rounds: Int = 6) throws -> Duration {
        let (a, b) = (try #require(testbed["a"]), try #require(testbed["b"]))
        let near = try TestSocket(a, SOCK_DGRAM)
        let far = try TestSocket(b, SOCK_DGRAM)
        try near.bind(4000)
        try far.bind(4000)
        try near.connect(b, 4000)
        try far.connect(a, 4000)
        var best = Duration.seconds(100)
        for number in 0..<rounds {
            let start = ContinuousClock.now
            try near.sendAll([UInt8(number)])
            #expect(try far.receive(10) == [UInt8(number)])
            try far.sendAll([UInt8(number)])
            #expect(try near.receive(10) == [UInt8(number)])
            if number > 1 { best = min(best, ContinuousClock.now - start) }
        }
        return best
    }

    /// Sends bytes over TCP and answers how long it took until the last had arrived, unharmed.
    private func transfer(
        _ count: Int, _ testbed: Testbed, from: String, to: String, port: UInt16 = 5000
    ) throws -> Duration {
        let listener = try TestSocket(try #require(testbed[to]), SOCK_STREAM)
        try listener.bind(port)
        try listener.listen()
        let sender = try TestSocket(try #require(testbed[from]), SOCK_STREAM)
        try sender.connect(try #require(testbed[to]), port)
        let receiver = try listener.accept()
        // A length that divides no power of two: a lost or doubled part of any size shows.
        let pattern = (0..<10_007).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let bytes = [[UInt8]](repeating: pattern, count: count / pattern.count + 1).flatMap { $0 }
        let failure = Mutex<String?>(nil)
        let start = ContinuousClock.now
        let thread = try WorkerThread {
            do { try sender.sendAll(bytes) } catch { failure.withLock { $0 = "\(error)" } }
            sender.endSending()
        }
        var received: [UInt8] = []
        received.reserveCapacity(count)
        while true {
            let part = try receiver.receive(1 << 18)
            if part.isEmpty { break }
            received += part
        }
        let duration = ContinuousClock.now - start
        thread.join()
        #expect(failure.withLock { $0 } == nil)
        #expect(received == bytes)
        return duration
    }

    @Test("hosts on direct links reach each other")
    func direct() throws {
        let testbed = try pair(.direct)
        defer { testbed.stop() }
        print("direct: round trip \(try roundTrip(testbed))")
        #expect(testbed.traffic(from: "a", to: "one") == nil)
    }

    @Test("hosts with IPv6, alone or beside IPv4, reach each other as soon as they are there")
    func bothKinds() throws {
        var plan = TestbedPlan()
        plan.segment("one")
        plan.host("a", address: "10.99.0.1", address6: "fd00:99::1", on: "one", link: Link(delay: .milliseconds(1)))
        plan.host("b", address: "fd00:99::2", on: "one")
        let testbed = try Testbed(plan)
        defer { testbed.stop() }
        let (a, b) = (try #require(testbed["a"]), try #require(testbed["b"]))
        #expect(a.addresses == ["10.99.0.1", "fd00:99::1"])
        let listener = try TestSocket(b, SOCK_STREAM, .v6)
        try listener.bind(80, .v6)
        try listener.listen()
        let client = try TestSocket(a, SOCK_STREAM, .v6)
        try client.connect(b, 80, .v6)
        try client.sendAll([7])
        #expect(try listener.accept().receive(1) == [7])
    }

    @Test("a round trip takes at least twice the delays of all links on the way")
    func delay() throws {
        let testbed = try pair(Link(delay: .milliseconds(5)), between: Link(delay: .milliseconds(10)))
        defer { testbed.stop() }
        // Among so many there is one that nobody else's work held up.
        let duration = try roundTrip(testbed, rounds: 30)
        print("5 ms + 10 ms: round trip \(duration)")
        #expect(duration >= .milliseconds(30))
        #expect(duration < .milliseconds(90))
        let traffic = try #require(testbed.traffic(from: "a", to: "one"))
        #expect(traffic.framesAccepted >= 6)
        #expect(traffic.framesDropped == 0)
    }

    @Test("TCP through a link gets its rate, in both directions", arguments: [("a", "b"), ("b", "a")])
    func rate(from: String, to: String) throws {
        let testbed = try pair(Link(delay: .milliseconds(5), rate: .megabits(40)))
        defer { testbed.stop() }
        let bytes = 6_000_000
        // Other work on the machine may make it slower, and never faster.
        for attempt in 1...10 {
            let duration = try transfer(bytes, testbed, from: from, to: to, port: UInt16(5000 + attempt))
            let megabits = Double(bytes) * 8e-6 / (duration / .seconds(1))
            print("40 Mbit/s, 5 ms: \(megabits) Mbit/s")
            #expect(megabits < 44)
            if megabits > 10 { return }
        }
        Issue.record("never more than 10 Mbit/s")
    }

    @Test("a big transfer over a link with delay alone arrives unharmed")
    func bigTransfer() throws {
        let testbed = try pair(Link(delay: .milliseconds(10)))
        defer { testbed.stop() }
        let bytes = 48_000_000
        let duration = try transfer(bytes, testbed, from: "a", to: "b")
        print("10 ms: \(Double(bytes) * 8e-6 / (duration / .seconds(1))) Mbit/s")
        print(testbed.traffic(from: "a", to: "one") as Any)
    }

    @Test("twelve hosts are set up quickly")
    func twelve() throws {
        for link in [Link.direct, Link(delay: .milliseconds(2), rate: .megabits(100))] {
            var plan = TestbedPlan()
            plan.segment("wide-area")
            for area in ["north", "south", "west"] {
                plan.segment(area)
                plan.link(area, "wide-area", Link(delay: .milliseconds(5), rate: .megabits(100)))
                for number in 1...4 {
                    let part = ["north": 1, "south": 2][area] ?? 3
                    plan.host("\(area)\(number)", address: "10.99.\(part).\(number)", on: area, link: link)
                }
            }
            let clock = ContinuousClock()
            let start = clock.now
            let testbed = try Testbed(plan)
            let built = clock.now
            let listener = try TestSocket(try #require(testbed["west4"]), SOCK_STREAM)
            try listener.bind(80)
            try listener.listen()
            try TestSocket(try #require(testbed["north1"]), SOCK_STREAM).connect(try #require(testbed["west4"]), 80)
            let connected = clock.now
            testbed.stop()
            print("12 hosts: built in \(built - start), first connection \(connected - built)")
            print("stopped in \(clock.now - connected)")
        }
    }
}
