import Glibc
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitRouter
import VersionKitTestbed
import VersionKitTransport
import VersionKitWire

@Suite("A fleet in which only some hosts have a router", .serialized)
struct PlainPeerTests {
    /// However slow this machine is, a peer's silence is not taken for an answer.
    private var patient: Limits {
        var limits = Limits.standard
        limits.probeTimeout = .seconds(60)
        return limits
    }

    /// Accepts until a connection comes on which no router speaks; `others` says what to do with those.
    private func acceptPlain(_ server: TestStream, others: (TestStream) -> Void) throws -> (TestStream, [UInt8]) {
        while true {
            let stream = try server.accept()
            let first = stream.receive(4)
            // It was to be kept ready for later, and is not needed any more.
            if first.isEmpty { continue }
            if first != VersionHeader.magic { return (stream, first) }
            others(stream)
        }
    }

    @Test(
        "a peer that answers a header with its own words is spoken to plainly, and nothing is lost or sent twice",
        arguments: IPAddress.Family.allCases)
    func answers(_ family: IPAddress.Family) throws {
        let fleet = try RelayFleet(nodes: 1, bareHosts: 1, limits: patient, family: family)
        let here = fleet.nodes[0]
        let server = try TestStream.listen(family, in: fleet.bareHost().namespace)
        let client = try TestStream.connect(to: fleet.bareAddress(), in: try #require(here.environments[1]))
        client.send("first words")
        let (plain, beginning) = try acceptPlain(server) { stream in
            stream.send("ERROR\n")
            #expect(stream.receive(200).count < 200)
        }
        #expect(beginning == Array("firs".utf8))
        #expect(plain.text(7) == "t words")
        plain.send("answer")
        #expect(client.text(6) == "answer")
        client.finish()
        #expect(plain.end() == .finished)
        // Now it is known: the next connection brings no header first.
        let next = try TestStream.connect(to: fleet.bareAddress(), in: try #require(here.environments[1]))
        next.send("more words")
        #expect(try server.accept().text(10) == "more words")
        #expect(here.relay.counters.plain == 2)
    }

    @Test("a peer that closes on a header is spoken to plainly, also when it speaks first", arguments: [false, true])
    func closes(byReset: Bool) throws {
        let fleet = try RelayFleet(nodes: 1, bareHosts: 1, limits: patient)
        let here = fleet.nodes[0]
        let server = try TestStream.listen(in: fleet.bareHost().namespace)
        let client = try TestStream.connect(to: fleet.bareAddress(), in: try #require(here.environments[1]))
        var refused: TestStream? = try server.accept()
        if !byReset { #expect(refused?.receive(4) == VersionHeader.magic) }
        // What was not read makes this a reset; the probe has sent more than the four bytes in either case.
        if byReset { refused?.finish() } else { #expect((refused?.receive(20).count ?? 0) == 20) }
        refused = nil
        let plain = try server.accept()
        plain.send("welcome")
        #expect(client.text(7) == "welcome")
        client.send("thanks")
        #expect(plain.text(6) == "thanks")
    }

    @Test("a version that is not the one for plain peers is refused by them, and counted")
    func otherVersion() throws {
        let fleet = try RelayFleet(nodes: 1, bareHosts: 1, limits: patient)
        let here = fleet.nodes[0]
        let server = try TestStream.listen(in: fleet.bareHost().namespace)
        let client = try TestStream.connect(to: fleet.bareAddress(), in: try #require(here.environments[2]))
        client.send("words of version 2")
        let probe = try server.accept()
        probe.send("ERROR\n")
        #expect(client.end() == .reset)
        #expect(try TestStream.refusal(to: fleet.bareAddress(), in: try #require(here.environments[2])) == .reset)
        #expect(!server.hasConnection)
        #expect(here.relay.counters.refused["plain-peer"] == 2)
    }

    @Test("a peer that says nothing to a header is spoken to plainly after a while")
    func silent() throws {
        var limits = Limits.standard
        limits.probeTimeout = .milliseconds(200)
        let fleet = try RelayFleet(nodes: 1, bareHosts: 1, limits: limits)
        let here = fleet.nodes[0]
        let server = try TestStream.listen(in: fleet.bareHost().namespace)
        let client = try TestStream.connect(to: fleet.bareAddress(), in: try #require(here.environments[1]))
        client.send("hello")
        let probe = try server.accept()
        #expect(try server.accept().text(5) == "hello")
        #expect(probe.receive(100).count == 24)
    }

    @Test(
        "a host whose router goes is spoken to plainly, and with headers when it is back, without a failed request",
        arguments: IPAddress.Family.allCases)
    func comesAndGoes(_ family: IPAddress.Family) throws {
        var limits = patient
        limits.plainPeerLifetime = .milliseconds(100)
        let fleet = try RelayFleet(limits: limits, family: family)
        let (here, there) = (fleet.nodes[0], fleet.nodes[1])
        let environment = try #require(here.environments[1])
        let managed = try TestStream.listen(family, in: try #require(there.environments[1]))
        for _ in 0..<10 { try TestStream.exchange(to: there.address, in: environment, with: managed) }
        there.relay.update(RoutingTable())
        // The port is free as soon as the router does not listen on it any more.
        let server = try until { try TestStream.listenIfFree(family, in: there.host.namespace) }
        for number in 0..<5 {
            let client = try TestStream.connect(to: there.address, in: environment)
            client.send("word\(number)")
            let (stream, beginning) = try acceptPlain(server) { _ in }
            #expect(beginning == Array("word".utf8))
            #expect(stream.text(1) == "\(number)")
            stream.send("ok")
            #expect(client.text(2) == "ok")
        }
        // And back: from now on the port is the router's again, whatever is believed of it.
        server.stopListening()
        there.route(advertised: [1, 2])
        let stranger = try until { try TestStream.connectIfOpen(to: there.address, in: here.host.namespace) }
        stranger.send("plain")
        #expect(try managed.accept().text(5) == "plain")
        let headers = there.heard.all.count
        _ = try until {
            try TestStream.exchange(to: there.address, in: environment, with: managed)
            return there.heard.all.count > headers + 2 ? true : nil
        }
        #expect(here.relay.counters.refused.isEmpty, "\(here.relay.counters.refused)")
    }

    /// Tries again until there is a result.
    private func until<Result>(_ body: () throws -> Result?) throws -> Result {
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            if let result = try body() { return result }
            try #require(ContinuousClock.now < deadline)
            sched_yield()
        }
    }
}
