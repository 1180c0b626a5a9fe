import Foundation
import Glibc
import NIOCore
import Synchronization
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed
import VersionKitTransport
import VersionKitWire

@Suite("A relay that another one takes over from", .serialized)
struct RelayHandoverTests {
    /// As it reaches the next program; `change` may do what must not happen on the way.
    private func coded(
        _ handover: Relay.Handover, change: (inout [String: Any]) -> Void = { _ in }
    ) throws -> Relay.Handover {
        let encoder = JSONEncoder()
        encoder.userInfo[InheritedDescriptors.key] = InheritedDescriptors()
        let data = try encoder.encode(handover)
        var object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        change(&object)
        return try JSONDecoder().decode(
            Relay.Handover.self, from: try JSONSerialization.data(withJSONObject: object))
    }

    private func restart(
        _ node: RelayNode, threads: Int = 1, change: (inout [String: Any]) -> Void = { _ in }
    ) async throws {
        try node.resume(try coded(await node.relay.handOver(), change: change), threads: threads)
    }

    /// What a handover says of connections, one for each.
    private func connections(_ handover: [String: Any]) -> [[String: Any]] {
        (handover["connections"] as? [[String: Any]] ?? []).compactMap { $0["connection"] as? [String: Any] }
    }

    /// How long the connection that has waited longest has done so, in attoseconds (fewer than 18 s).
    private func longestWait(_ handover: [String: Any]) -> UInt64 {
        connections(handover).compactMap { ($0["waited"] as? [UInt64])?.last }.max() ?? 0
    }

    @Test(
        "streams in both directions and a flood of new connections lose nothing, ten times in a row",
        arguments: IPAddress.Family.allCases)
    func traffic(_ family: IPAddress.Family) async throws {
        let fleet = try RelayFleet(threads: 2, family: family)
        let (here, there) = (fleet.nodes[0], fleet.nodes[1])
        let environment = try #require(here.environments[1])
        let server = try TestStream.listen(family, in: try #require(there.environments[1]))
        let client = try TestStream.connect(to: there.address, in: environment)
        client.send("go")
        let accepted = try server.accept()
        #expect(accepted.text(2) == "go")
        let traffic = LastingTraffic()
        async let out = traffic.stream(to: client)
        async let back = traffic.stream(to: accepted)
        async let arrived = traffic.receive(from: accepted)
        async let returned = traffic.receive(from: client)
        async let echo: Void = LastingTraffic.echo(server)
        async let echoToo: Void = LastingTraffic.echo(server)
        async let failed = traffic.connect(to: there.address, in: environment)
        async let failedToo = traffic.connect(to: there.address, in: environment)
        async let failedThree = traffic.connect(to: there.address, in: environment)
        // Also if this ends early, or nothing would.
        defer {
            traffic.end()
            server.stopListening()
        }
        for number in 0..<10 {
            let (exchanges, bytes) = (
                traffic.exchanges.load(ordering: .relaxed), traffic.bytes.load(ordering: .relaxed)
            )
            try await restart(number % 2 == 0 ? here : there, threads: 1 + number % 3)
            try await wait {
                traffic.exchanges.load(ordering: .relaxed) > exchanges + 5
                    && traffic.bytes.load(ordering: .relaxed) > bytes + 1 << 20
            }
        }
        traffic.end()
        #expect(await failed + failedToo + failedThree == 0)
        let (sentOut, sentBack) = await (out, back)
        #expect(await arrived == sentOut)
        #expect(await returned == sentBack)
        server.stopListening()
        _ = await (echo, echoToo)
        #expect(here.relay.counters.refused.isEmpty, "\(here.relay.counters.refused)")
        #expect(there.relay.counters.refused.isEmpty, "\(there.relay.counters.refused)")
        #expect(here.relay.counters.bytes >= UInt64(sentOut + sentBack))
    }

    @Test(
        "connections that are idle, that one end has finished, or that an end has not taken all of, go on",
        arguments: zip(IPAddress.Family.allCases, [0, 8]))
    func established(_ family: IPAddress.Family, pipes: Int) async throws {
        var limits = Limits.standard
        limits.splicePipesMax = pipes
        let fleet = try RelayFleet(limits: limits, family: family)
        let (here, there) = (fleet.nodes[0], fleet.nodes[1])
        // The relays' sockets take little, so that they are full soon.
        for host in [here.host, there.host] {
            let script = "for way in rmem wmem; do echo 4096 65536 131072 > /proc/sys/net/ipv4/tcp_$way; done"
            try #require(try host.run("sh", ["-e", "-c", script]).exit.isSuccess)
        }
        let environment = try #require(here.environments[1])
        let server = try TestStream.listen(family, in: try #require(there.environments[1]))
        func begun() throws -> (client: TestStream, accepted: TestStream) {
            let client = try TestStream.connect(to: there.address, in: environment)
            client.send("go")
            let accepted = try server.accept()
            #expect(accepted.text(2) == "go")
            return (client, accepted)
        }
        let (idle, finished, full) = (try begun(), try begun(), try begun())
        finished.client.finish()
        #expect(finished.accepted.end() == .finished)
        let bytes = TestStream.pattern(48 << 20, by: 13)
        async let sent: Void = onThread("out") { full.client.send(bytes) }
        var early: [UInt8] = []
        for node in [there, here] {
            // Until everything behind it is full, and it holds bytes itself where this is about them.
            var (isFull, holdsOthers) = (false, false)
            let deadline = ContinuousClock.now + .seconds(20)
            while !isFull {
                try #require(ContinuousClock.now < deadline)
                try await restart(node) { handover in
                    let ends = connections(handover).compactMap { $0["far"] as? [String: Any] }
                    let inPipe = ends.contains { $0["pipeBytes"] as? Int ?? 0 > 0 }
                    let inMemory = ends.contains { ($0["unsent"] as? String)?.isEmpty == false }
                    (isFull, holdsOthers) = pipes > 0 ? (inPipe, inMemory) : (inMemory, inPipe)
                }
                guard !isFull, holdsOthers else { continue }
                // A relay that is full of read bytes splices none, and the other way round; and each begins by reading.
                // So this one has to move a stream before it is looked at again.
                let moved = node.relay.counters.bytes
                early += full.accepted.receive(1 << 20)
                try await wait { node.relay.counters.bytes >= moved + 512 << 10 }
            }
        }
        let rest = bytes.count - early.count
        let arrived = await onThread("in") { full.accepted.receive(rest) }
        _ = await sent
        #expect(early + arrived == bytes)
        finished.accepted.send("after the end")
        finished.accepted.finish()
        #expect(finished.client.text(13) == "after the end")
        #expect(finished.client.end() == .finished)
        idle.client.send("ping")
        #expect(idle.accepted.text(4) == "ping")
        idle.accepted.send("pong")
        #expect(idle.client.text(4) == "pong")
        #expect(here.relay.counters.refused.isEmpty, "\(here.relay.counters.refused)")
        #expect(there.relay.counters.refused.isEmpty, "\(there.relay.counters.refused)")
    }

    @Test("connections whose peer has not answered, or not even heard, or not said who it is, are decided afterwards")
    func undecided() async throws {
        var limits = Limits.standard
        limits.probeTimeout = .seconds(60)
        limits.headerTimeout = .seconds(60)
        let fleet = try RelayFleet(nodes: 1, bareHosts: 2, limits: limits)
        let here = fleet.nodes[0]
        let environment = try #require(here.environments[1])
        // A peer that has our header, and has not answered.
        let slow = try TestStream.listen(in: fleet.bareHost().namespace)
        let asking = try TestStream.connect(to: fleet.bareAddress(), in: environment)
        asking.send("words")
        let probe = try slow.accept()
        #expect(probe.receive(4) == VersionHeader.magic)
        // A peer that hears nothing.
        let deaf = fleet.bareHost(1)
        let rules = "add table ip deaf; add chain ip deaf in { type filter hook input priority 0; }"
        try #require(try deaf.run("nft", [rules + "; add rule ip deaf in tcp dport 7100 drop"]).exit.isSuccess)
        let deafServer = try TestStream.listen(in: deaf.namespace)
        let calling = try TestStream.connect(to: fleet.bareAddress(1), in: environment)
        calling.send("hello")
        // A peer whose header is half there.
        let server = try TestStream.listen(in: environment)
        let header = Array(VersionHeader(application: RelayFleet.application, sender: 1).encoded().readableBytesView)
        let hesitant = try TestStream.connect(to: here.address, in: fleet.bareHost().namespace)
        hesitant.send(Array(header.prefix(7)))
        try here.wait(for: "connections") { $0.outbound == 2 }
        var waited: [UInt64] = []
        for _ in 0..<2 { try await restart(here) { waited.append(longestWait($0)) } }
        #expect(waited[0] > 0)
        #expect(waited[1] > waited[0], "time-outs began anew")
        probe.send("ERROR\n")
        #expect(try slow.accept().text(5) == "words")
        hesitant.send(Array(header.dropFirst(7)) + Array("late".utf8))
        #expect(try server.accept().text(4) == "late")
        try #require(try deaf.run("nft", ["flush ruleset"]).exit.isSuccess)
        let called = try deafServer.accept()
        #expect(called.receive(4) == VersionHeader.magic)
        called.send("ERROR\n")
        #expect(try deafServer.accept().text(5) == "hello")
        #expect(here.relay.counters.refused.isEmpty, "\(here.relay.counters.refused)")
        #expect(here.relay.counters.outbound == 2)
    }

    @Test("who connects while no relay runs is served by the next, whatever its number of threads, and none is refused")
    func waiting() async throws {
        let fleet = try RelayFleet(threads: 3)
        let (here, there) = (fleet.nodes[0], fleet.nodes[1])
        let environment = try #require(here.environments[1])
        let server = try TestStream.listen(in: try #require(there.environments[1]))
        for threads in [1, 4] {
            let (first, second) = (await here.relay.handOver(), await there.relay.handOver())
            let clients = try (0..<60).map { _ in try TestStream.connect(to: there.address, in: environment) }
            for client in clients { client.send("early") }
            try here.resume(try coded(first), threads: threads)
            try there.resume(try coded(second), threads: threads)
            for _ in clients {
                let accepted = try server.accept()
                #expect(accepted.text(5) == "early")
                accepted.send("fine")
            }
            for client in clients { #expect(client.text(4) == "fine") }
        }
        #expect(here.relay.counters.outbound == 120)
        #expect(there.relay.counters.inbound == 120)
        #expect(there.relay.traffic().map(\.connections) == [120])
    }

    @Test("a host that has no IPv6 address any more keeps no socket for it, and serves IPv4 on")
    func fewerAddresses() async throws {
        let fleet = try RelayFleet(nodes: 1, bareHosts: 1)
        let here = fleet.nodes[0]
        #expect(try TestStream.listenIfFree(.v6, in: here.host.namespace) == nil)
        let handover = try coded(await here.relay.handOver())
        try here.resume(handover, addresses: HostAddresses(here.address))
        #expect(try TestStream.listenIfFree(.v6, in: here.host.namespace) != nil)
        #expect(try TestStream.listenIfFree(.v6, port: 15_001, in: here.host.namespace) != nil)
        let server = try TestStream.listen(in: try #require(here.environments[1]))
        try TestStream.exchange(to: here.address, in: fleet.bareHost().namespace, with: server)
    }

    @Test("what was counted goes on, and a peer that is known to have no router is asked no second time")
    func knowledge() async throws {
        let fleet = try RelayFleet(nodes: 1, bareHosts: 1)
        let here = fleet.nodes[0]
        let environment = try #require(here.environments[1])
        let server = try TestStream.listen(in: fleet.bareHost().namespace)
        let client = try TestStream.connect(to: fleet.bareAddress(), in: environment)
        let probe = try server.accept()
        probe.send("ERROR\n")
        client.send("words")
        #expect(try server.accept().text(5) == "words")
        let inner = try TestStream.listen(in: environment)
        try TestStream.exchange("four", to: here.address, in: fleet.bareHost().namespace, with: inner)
        try here.wait(for: "bytes") { $0.bytes == 17 }
        let (counters, traffic) = (here.relay.counters, here.relay.traffic())
        try await restart(here)
        #expect(here.relay.counters == counters)
        #expect(Set(here.relay.traffic()) == Set(traffic))
        #expect(counters.delivered == [RelayFleet.application: [1: 1]])
        let next = try TestStream.connect(to: fleet.bareAddress(), in: environment)
        next.send("more words")
        #expect(try server.accept().text(10) == "more words")
        #expect(here.relay.counters.plain == 3)
    }

    @Test("a connection that the next relay does not understand is reset and counted, the others go on")
    func broken() async throws {
        let fleet = try RelayFleet(nodes: 1, bareHosts: 1)
        let here = fleet.nodes[0]
        let server = try TestStream.listen(in: try #require(here.environments[1]))
        func begun() throws -> (client: TestStream, accepted: TestStream) {
            let client = try TestStream.connect(to: here.address, in: fleet.bareHost().namespace)
            client.send("go")
            return (client, try server.accept())
        }
        let pairs = try (0..<3).map { _ in try begun() }
        for pair in pairs { #expect(pair.accepted.text(2) == "go") }
        try await restart(here) { handover in
            guard var entries = handover["connections"] as? [[String: Any]] else { return }
            for (index, connection) in connections(handover).enumerated() {
                let peer = (connection["peer"] as? [String: Any])?["port"] as? Int
                if peer == pairs[0].client.port { entries[index]["connection"] = ["phase": "unheard-of"] }
                guard peer == pairs[1].client.port, let sockets = entries[index]["descriptors"] as? [Int] else {
                    continue
                }
                // One of its descriptors was not kept open: here it has to be closed for that.
                close(Int32(sockets[1]))
                entries[index]["descriptors"] = [sockets[0], 1_000_000]
            }
            handover["connections"] = entries
        }
        #expect(pairs[0].client.end() == .reset)
        #expect(pairs[1].client.end() == .reset)
        pairs[2].client.send("on")
        #expect(pairs[2].accepted.text(2) == "on")
        #expect(here.relay.counters.refused == ["handover-broken": 2])
        // Of another format nothing is understood but which descriptors there are, and the ports are served on.
        try await restart(here) { $0["format"] = 2 }
        #expect(pairs[2].client.end() == .reset)
        let next = try begun()
        #expect(next.accepted.text(2) == "go")
        #expect(here.relay.counters.refused == ["handover-broken": 3])
    }

    @Test("a relay that was not started, or had no table yet, leaves what it was left")
    func chain() async throws {
        let fleet = try RelayFleet(nodes: 1, bareHosts: 1)
        let here = fleet.nodes[0]
        let server = try TestStream.listen(in: try #require(here.environments[1]))
        let client = try TestStream.connect(to: here.address, in: fleet.bareHost().namespace)
        client.send("go")
        let accepted = try server.accept()
        #expect(accepted.text(2) == "go")
        var handover = try coded(await here.relay.handOver())
        for isStarted in [false, true] {
            let relay = try Relay(
                .init(addresses: HostAddresses(here.address), transparentPort: 15_001, threads: 1), resuming: handover
            ) { _ in }
            if isStarted { try relay.start() }
            handover = try coded(await relay.handOver())
        }
        let early = try TestStream.connect(to: here.address, in: fleet.bareHost().namespace)
        early.send("early")
        try here.resume(handover)
        client.send("on")
        #expect(accepted.text(2) == "on")
        #expect(try server.accept().text(5) == "early")
        #expect(here.relay.counters.plain == 2)
    }

    private func wait(until isReached: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while !isReached() {
            try #require(ContinuousClock.now < deadline)
            await Task.yield()
        }
    }
}
