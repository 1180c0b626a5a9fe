import NIOCore
import Testing
import VersionKitModel
import VersionKitRouter
import VersionKitTestbed
import VersionKitTransport
import VersionKitWire

@Suite("Datagrams of strangers", .timeLimit(.minutes(1)))
struct DatagramStrangerTests {
    private static func bytes(_ header: VersionHeader, _ payload: [UInt8] = [1]) -> [UInt8] {
        Array(header.encoded().readableBytesView) + payload
    }

    private static func header(_ application: String = "ring", _ version: Version = 1) -> VersionHeader {
        VersionHeader(application: ApplicationID(rawValue: application)!, sender: version)
    }

    @Test(
        "a peer without a router speaks with the oldest version, or the one that was chosen",
        arguments: IPAddress.Family.allCases)
    func plain(_ family: IPAddress.Family) async throws {
        let fleet = try await DatagramFleet(family)
        let peer = try fleet.bareSocket(port: 0)
        let servers = [try fleet.a.socket(of: 1), try fleet.a.socket(of: 2)]
        try peer.send("old", to: fleet.a.address)
        let (bytes, from) = try servers[0].receive()
        #expect(String(decoding: bytes, as: UTF8.self) == "old")
        #expect(from == Endpoint(address: fleet.bareAddress, port: peer.port))
        try servers[0].send("answer", to: from.address, from.port)
        let answer = try peer.receive()
        #expect(String(decoding: answer.bytes, as: UTF8.self) == "answer")
        #expect(answer.from == Endpoint(address: fleet.a.address, port: DatagramHost.port))

        var table = DatagramHost.table(of: 0)
        table.plainVersion = 2
        try await fleet.a.route(table)
        try peer.send("chosen", to: fleet.a.address)
        #expect(try servers[1].receiveText() == "chosen")
    }

    @Test(
        "a peer that is known to have no router gets no header, and sees the version's own port",
        arguments: IPAddress.Family.allCases)
    func plainPeer(_ family: IPAddress.Family) async throws {
        let fleet = try await DatagramFleet(family)
        var table = DatagramHost.table(of: 0)
        table.plainPeers = [fleet.bareAddress]
        try await fleet.a.route(table)
        let service = try fleet.bareSocket(port: DatagramHost.port)
        for port in [0, DatagramHost.port] {
            let client = try fleet.a.socket(of: 2, port: port)
            try client.send("plain", to: fleet.bareAddress)
            let (bytes, from) = try service.receive()
            #expect(String(decoding: bytes, as: UTF8.self) == "plain")
            #expect(from == Endpoint(address: fleet.a.address, port: client.port))
            try service.send("back", to: from.address, from.port)
            if port == 0 { #expect(try client.receiveText() == "back") }
        }
    }

    @Test(
        "versions that know their own kind all get what comes, and send as they are",
        arguments: IPAddress.Family.allCases)
    func filter(_ family: IPAddress.Family) async throws {
        let fleet = try await DatagramFleet(family)
        for (host, index) in [(fleet.a, 0), (fleet.b, 1)] {
            var table = DatagramHost.table(of: index)
            table.filter = PrefixFilter([])
            try await host.route(table)
        }
        let servers = [try fleet.b.socket(of: 1), try fleet.b.socket(of: 2)]
        for port in [DatagramHost.port, 0] {
            let client = try fleet.a.socket(of: 1, port: port)
            try client.send("to whom it may concern", to: fleet.b.address)
            for server in servers {
                let (bytes, from) = try server.receive()
                #expect(String(decoding: bytes, as: UTF8.self) == "to whom it may concern")
                #expect(from == Endpoint(address: fleet.a.address, port: client.port))
            }
            try servers[1].send("me", to: fleet.a.address, client.port)
            #expect(try client.receiveText() == "me")
        }
    }

    @Test("whatever they make up as a header is counted by what is wrong with it, and nothing is delivered")
    func malformed() async throws {
        let fleet = try await DatagramFleet()
        let server = try fleet.a.socket(of: 1)
        let stranger = try fleet.bareSocket(port: DatagramHost.port)
        let good = Self.bytes(Self.header(), [])
        var ports = Self.header()
        ports.extensions = [.init(type: 0x81, value: [1])]
        var critical = Self.header()
        critical.extensions = [.init(type: 0xFF, value: [])]
        var elsewhere = Self.header()
        elsewhere.datagramPorts = .init(source: 5353, destination: 53)
        let cases: [(reason: String, bytes: [UInt8])] = [
            ("unknown-format", Array(good[..<4]) + [9] + Array(good[5...])),
            ("absurd-length", Array(good[..<6]) + [0, 3] + Array(good[8...])),
            ("truncated", Array(good[..<12])),
            ("no-sender", Array(good[..<8]) + [0, 0, 0, 0] + Array(good[12...])),
            ("bad-application", Array(good.dropLast()) + [0x20]),
            ("bad-extension", Self.bytes(ports)),
            ("unknown-critical-extension", Self.bytes(critical)),
            ("unknown-application", Self.bytes(Self.header("other"))),
            ("version-not-running", Self.bytes(Self.header("ring", 9))),
            ("no-session", Self.bytes(elsewhere)),
        ]
        for (reason, bytes) in cases {
            try stranger.send(bytes, to: fleet.a.address)
            let counters = try await fleet.a.counters(DatagramHost.table(of: 0)) { $0.dropped[reason] == 1 }
            #expect(counters.dropped[reason] == 1, "\(reason): \(counters.dropped)")
        }
        #expect(fleet.a.relay.counters.sessions == 0)
        // Each beginning of a header: the magic makes it one, less than that is a plain datagram.
        for length in 4..<good.count { try stranger.send(Array(good[..<length]), to: fleet.a.address) }
        try stranger.send(good + [7], to: fleet.a.address)
        #expect(try server.receive().bytes == [7])
    }

    @Test("a header from another port than the routers' is a stranger's", arguments: IPAddress.Family.allCases)
    func strangersPort(_ family: IPAddress.Family) async throws {
        let fleet = try await DatagramFleet(family)
        let stranger = try fleet.bareSocket(port: 0)
        try stranger.send(Self.bytes(Self.header()), to: fleet.a.address)
        let counters = try await fleet.a.counters(DatagramHost.table(of: 0)) { $0.dropped["strangers-port"] == 1 }
        #expect(counters.dropped["strangers-port"] == 1)
        #expect(counters.total.delivered == 0)
    }

    @Test("a flood from ever new ports costs no more than its bounds, and others are served all the same")
    func flood() async throws {
        var limits = Limits()
        limits.datagramSessionsOfPeerMax = 16
        limits.datagramSocketsMax = 8
        limits.datagramNoticesPerSecond = 20
        let fleet = try await DatagramFleet(limits: limits)
        let flooder = try fleet.bareSocket(port: DatagramHost.port)
        let server = try fleet.a.socket(of: 1)
        for port in UInt16(20_000)..<20_200 {
            var header = Self.header()
            header.datagramPorts = .init(source: port, destination: DatagramHost.port)
            try flooder.send(Self.bytes(header), to: fleet.a.address)
            try flooder.send(Self.bytes(Self.header("ring", 9)), to: fleet.a.address)
        }
        let counters = try await fleet.a.counters(DatagramHost.table(of: 0)) {
            $0.total.delivered == 200 && $0.dropped["version-not-running"] == 200
        }
        #expect(counters.total.delivered == 200)
        #expect(counters.sessions <= 8)
        #expect(counters.sessionsEvicted >= 192)
        #expect(counters.noticesWithheld > 0)
        for _ in 0..<200 { #expect(try server.receive().bytes == [1]) }
        let peer = try fleet.b.socket(of: 1, port: 0)
        try peer.send("and me", to: fleet.a.address)
        let (bytes, from) = try server.receive()
        #expect(String(decoding: bytes, as: UTF8.self) == "and me")
        try server.send("you too", to: from.address, from.port)
        #expect(try peer.receiveText() == "you too")
    }
}
