import Testing
import VersionKitModel
import VersionKitRouter
import VersionKitTransport
import VersionKitWire

@Suite("Datagrams between versions on two hosts", .timeLimit(.minutes(1)))
struct DatagramRelayTests {
    @Test(
        "reach the same version only, from the sender's own host and port, and are answered",
        arguments: IPAddress.Family.allCases)
    func apart(_ family: IPAddress.Family) async throws {
        let fleet = try await DatagramFleet(family)
        let servers = [try fleet.b.socket(of: 1), try fleet.b.socket(of: 2)]
        for (version, server, other) in [(Version(1), servers[0], servers[1]), (2, servers[1], servers[0])] {
            let client = try fleet.a.socket(of: version, port: 0)
            try client.send("hello \(version)", to: fleet.b.address)
            let (bytes, from) = try server.receive()
            #expect(String(decoding: bytes, as: UTF8.self) == "hello \(version)")
            #expect(from == Endpoint(address: fleet.a.address, port: client.port))
            try server.send("welcome", to: from.address, from.port)
            let answer = try client.receive()
            #expect(String(decoding: answer.bytes, as: UTF8.self) == "welcome")
            #expect(answer.from == Endpoint(address: fleet.b.address, port: DatagramHost.port))
            // The next one at the other version is its own peer's, so nothing came there before.
            try fleet.a.socket(of: version == 1 ? 2 : 1, port: 0).send("first", to: fleet.b.address)
            #expect(try other.receiveText() == "first")
        }
    }

    @Test(
        "are exchanged by peers with one port for everything, both of which may begin",
        arguments: IPAddress.Family.allCases)
    func onePort(_ family: IPAddress.Family) async throws {
        let fleet = try await DatagramFleet(family)
        let left = try fleet.a.socket(of: 2)
        let right = try fleet.b.socket(of: 2)
        try left.send("from left", to: fleet.b.address)
        try right.send("from right", to: fleet.a.address)
        let (atRight, atLeft) = (try right.receive(), try left.receive())
        #expect(atRight.from == Endpoint(address: fleet.a.address, port: DatagramHost.port))
        #expect(atLeft.from == Endpoint(address: fleet.b.address, port: DatagramHost.port))
        #expect(String(decoding: atLeft.bytes, as: UTF8.self) == "from right")
        let counters = try await fleet.a.counters(DatagramHost.table(of: 0)) { $0.total.delivered == 1 }
        #expect(counters.total.sent == 1)
        #expect(counters.sessions == 1)
        let partners = DatagramCounters.Partners(
            application: DatagramHost.application, version: 2, peer: fleet.b.address)
        #expect(counters.traffic[partners]?.deliveredBytes == 10)
    }

    @Test(
        "of any length arrive whole and in order: none, one packet's, many, and in bursts",
        arguments: IPAddress.Family.allCases)
    func lengths(_ family: IPAddress.Family) async throws {
        let fleet = try await DatagramFleet(family)
        let client = try fleet.a.socket(of: 1, port: 0)
        let server = try fleet.b.socket(of: 1)
        for length in [0, 1, 1376, 1377, 1472, 1473, 9000, 60_000] {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
            try client.send(bytes, to: fleet.b.address)
            let received = try server.receive()
            #expect(received.bytes == bytes, "\(length) bytes")
            try server.send(bytes, to: received.from.address, received.from.port)
            #expect(try client.receive().bytes == bytes, "\(length) bytes back")
        }
        let burst = (0..<100).map { [UInt8](repeating: UInt8($0), count: 512) }
        try client.send(burst, inSegmentsTo: fleet.b.address)
        for bytes in burst { #expect(try server.receive().bytes == bytes) }
    }

    @Test("go from a version to its own host, and back, as to any other", arguments: IPAddress.Family.allCases)
    func ownHost(_ family: IPAddress.Family) async throws {
        let fleet = try await DatagramFleet(family)
        let client = try fleet.a.socket(of: 1, port: 0)
        let server = try fleet.a.socket(of: 1)
        try client.send("self", to: fleet.a.address)
        let (bytes, from) = try server.receive()
        #expect(String(decoding: bytes, as: UTF8.self) == "self")
        #expect(from.address == fleet.a.address)
        try server.send("yes", to: from.address, from.port)
        #expect(try client.receiveText() == "yes")
    }

    @Test("never reach another version's environment, nor many hosts at one time", arguments: IPAddress.Family.allCases)
    func noWay(_ family: IPAddress.Family) async throws {
        let fleet = try await DatagramFleet(family)
        let client = try fleet.a.socket(of: 1, port: 0)
        try client.send("psst", to: DatagramHost.environment(2, of: 0, family))
        try client.send("all", to: IPAddress(family == .v4 ? "224.1.2.3" : "ff0e::1:2:3")!)
        let counters = try await fleet.a.counters(DatagramHost.table(of: 0)) { $0.dropped["other-version"] == 1 }
        #expect(counters.dropped["other-version"] == 1)
        #expect(counters.sessions == 0)
    }

    @Test(
        "carry the header that says who is there and which port leads straight, and it is reported",
        arguments: IPAddress.Family.allCases)
    func heard(_ family: IPAddress.Family) async throws {
        let fleet = try await DatagramFleet(family)
        var table = DatagramHost.table(of: 0)
        table.directPorts = [2: [.udp(DatagramHost.port): .init(10_002, seconds: 60)]]
        try await fleet.a.route(table)
        let client = try fleet.a.socket(of: 2, port: 0)
        let server = try fleet.b.socket(of: 2)
        for _ in 0..<50 { try client.send("x", to: fleet.b.address) }
        for _ in 0..<50 { #expect(try server.receiveText() == "x") }
        let heard = try #require(await fleet.b.nextHeard())
        #expect(heard.header.sender == 2)
        #expect(heard.header.advertised == 1)
        #expect(heard.header.directPort == .init(10_002, seconds: 60))
        #expect(heard.header.datagramPorts == .init(source: client.port, destination: DatagramHost.port))
        #expect(heard.from == fleet.a.address)
        #expect(heard.version == 2)
        #expect(heard.port == DatagramHost.port)
    }

    @Test(
        "are reported with whether the peer has heard of the direct port here: told some times, since it offers one itself"
    )
    func mutual() async throws {
        let fleet = try await DatagramFleet(.v4)
        func offer(_ number: UInt16, _ host: DatagramHost, of index: Int) async throws {
            var table = DatagramHost.table(of: index)
            table.directPorts = [2: [.udp(DatagramHost.port): .init(number, seconds: 60)]]
            try await host.route(table)
        }
        try await offer(10_002, fleet.a, of: 0)
        let (left, right) = (try fleet.a.socket(of: 2), try fleet.b.socket(of: 2))
        // So many that the peer was told often enough, but it offers nothing yet.
        for _ in 0..<5 {
            try left.send("x", to: fleet.b.address)
            #expect(try right.receiveText() == "x")
        }
        try right.send("y", to: fleet.a.address)
        #expect(try left.receiveText() == "y")
        #expect(await fleet.a.nextHeard(isMutual: false)?.directPort == nil)
        try await offer(10_003, fleet.b, of: 1)
        // Both go on until each has told the other; headers without a port of the peer's do not count.
        async let there = fleet.b.nextHeard(isMutual: true)
        async let here = fleet.a.nextHeard(isMutual: true)
        let talk = Task {
            while !Task.isCancelled {
                try left.send("x", to: fleet.b.address)
                try right.send("y", to: fleet.a.address)
                _ = try right.receiveText()
                _ = try left.receiveText()
                // Who waits for a header needs a thread, too.
                await Task.yield()
            }
        }
        #expect(await here?.directPort?.number == 10_003)
        #expect(await there?.directPort?.number == 10_002)
        talk.cancel()
        _ = await talk.result
    }

    @Test("that are over at once tell the peer of the direct port together: none of them would do alone")
    func short() async throws {
        let fleet = try await DatagramFleet(.v4)
        for (index, host) in [fleet.a, fleet.b].enumerated() {
            var table = DatagramHost.table(of: index)
            table.directPorts = [2: [.udp(DatagramHost.port): .init(10_002 + UInt16(index), seconds: 60)]]
            try await host.route(table)
        }
        let server = try fleet.b.socket(of: 2)
        async let heard = fleet.a.nextHeard(isMutual: true)
        let talk = Task {
            while !Task.isCancelled {
                let client = try fleet.a.socket(of: 2, port: 0)
                try client.send("x", to: fleet.b.address)
                let (bytes, from) = try server.receive()
                try server.send(bytes, to: from.address, from.port)
                #expect(try client.receiveText() == "x")
                // Not so many that there are more than a peer may have, however long the header takes to be seen here.
                try? await Task.sleep(for: .milliseconds(5))
            }
        }
        #expect(await heard?.directPort?.number == 10_003)
        talk.cancel()
        _ = await talk.result
    }

    @Test(
        "that are answered by another way, or not at all, are told of the direct port there by a header alone, when a version sent them"
    )
    func offers() async throws {
        let fleet = try await DatagramFleet(.v4)
        for (index, host) in [fleet.a, fleet.b].enumerated() {
            var table = DatagramHost.table(of: index)
            table.directPorts = [2: [.udp(DatagramHost.port): .init(10_002 + UInt16(index), seconds: 60)]]
            try await host.route(table)
        }
        let (left, right) = (try fleet.a.socket(of: 2), try fleet.b.socket(of: 2))
        async let heard = fleet.a.nextHeard(isMutual: true)
        let talk = Task {
            while !Task.isCancelled {
                try left.send("x", to: fleet.b.address)
                #expect(try right.receiveText() == "x")
                await Task.yield()
            }
        }
        #expect(await heard?.directPort?.number == 10_003)
        talk.cancel()
        _ = await talk.result
        // A header alone is nobody's datagram, and nothing begins by one.
        #expect(fleet.a.relay.counters.dropped.isEmpty)
        #expect(fleet.a.relay.counters.sessions == 1)
        #expect(left.takeNumbers() == nil)
    }

    @Test("find their way by a new table: a version that serves no more gets none, one that begins to gets its own")
    func tables() async throws {
        let fleet = try await DatagramFleet()
        let client = try fleet.a.socket(of: 1, port: 0)
        let server = try fleet.b.socket(of: 1)
        try client.send("one", to: fleet.b.address)
        #expect(try server.receiveText() == "one")
        try await fleet.b.route(DatagramHost.table(of: 1, advertised: [2]))
        try client.send("two", to: fleet.b.address)
        _ = try await fleet.b.counters(DatagramHost.table(of: 1, advertised: [2])) {
            $0.dropped["version-not-running"] == 1
        }
        try await fleet.b.route(DatagramHost.table(of: 1))
        try client.send("three", to: fleet.b.address)
        #expect(try server.receiveText() == "three")
    }

    @Test(
        "of a version that does not serve yet are answered to it, though it cannot be spoken to",
        arguments: IPAddress.Family.allCases)
    func preparing(_ family: IPAddress.Family) async throws {
        let fleet = try await DatagramFleet(family)
        try await fleet.a.route(DatagramHost.table(of: 0, advertised: [1]))
        let client = try fleet.a.socket(of: 2)
        let server = try fleet.b.socket(of: 2)
        try client.send("may I", to: fleet.b.address)
        let (_, from) = try server.receive()
        try server.send("you may", to: from.address, from.port)
        #expect(try client.receiveText() == "you may")
    }
}
