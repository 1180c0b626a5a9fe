import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitRouter
import VersionKitTransport

@Suite("A relay of datagrams that hands over", .timeLimit(.minutes(1)))
struct DatagramHandoverTests {
    /// What peers of all kinds say to each other: by both kinds of IP, from any port and from the registered one, with
    /// routers and without.
    private static func streams(_ fleet: DatagramFleet) throws -> [DatagramStream] {
        var streams: [DatagramStream] = []
        for family in IPAddress.Family.allCases {
            let servers = try [fleet.a, fleet.b].map { try $0.socket(of: 1, family) }
            let clients = try [fleet.a, fleet.b].map { try $0.socket(of: 1, family, port: 0) }
            streams += try DatagramStream.pair(clients[0], servers[1], at: fleet.b.address(family))
            streams += try DatagramStream.pair(clients[1], servers[0], at: fleet.a.address(family))
            streams += try DatagramStream.pair(
                fleet.a.socket(of: 2, family), fleet.b.socket(of: 2, family), at: fleet.b.address(family))
            guard family == .v4 else { continue }
            streams += try DatagramStream.pair(fleet.bareSocket(port: 0), servers[0], at: fleet.a.address)
            streams += try DatagramStream.pair(
                fleet.a.socket(of: 2, port: 0), fleet.bareSocket(port: DatagramHost.port), at: fleet.bareAddress)
        }
        return streams
    }

    @Test("loses none of the datagrams of any kind of conversation, ten times in a row")
    func losesNothing() async throws {
        let fleet = try await DatagramFleet()
        var tables = [DatagramHost.table(of: 0), DatagramHost.table(of: 1)]
        tables[0].plainPeers = [fleet.bareAddress]
        try await fleet.a.route(tables[0])
        let hosts = [fleet.a, fleet.b]
        let traffic = try DatagramTraffic(Self.streams(fleet))
        async let result = onThread("traffic") { traffic.run() }
        for round in 0..<20 {
            await traffic.sendMore()
            try hosts[round % 2].restart(tables[round % 2])
        }
        await traffic.sendMore()
        traffic.stop()
        let (sent, received) = await result
        for (stream, count) in sent.enumerated() {
            #expect(received[stream].sorted() == Array(0..<count), "stream \(stream)")
        }
        for (host, table) in zip(hosts, tables) {
            let counters = try await host.counters(table) { _ in true }
            #expect(counters.dropped == [:])
            #expect(counters.portsReplaced == 0)
            #expect(counters.sessions == (host === fleet.a ? 8 : 6))
        }
    }

    @Test("leaves its sockets open and no other: what comes meanwhile waits in them, and what nobody needs is closed")
    func waits() async throws {
        let fleet = try await DatagramFleet()
        let client = try fleet.a.socket(of: 1, port: 0)
        let server = try fleet.b.socket(of: 1)
        try client.send("before", to: fleet.b.address)
        _ = try server.receive()
        let handover = fleet.a.relay.handOver()
        #expect(handover.counters.total.sent == 1)
        try client.send("meanwhile", to: fleet.b.address)
        // Handed on by one that had no table yet.
        let idle = try fleet.a.resuming(handover)
        idle.start()
        try fleet.a.resume(idle.handOver(), DatagramHost.table(of: 0))
        #expect(try server.receiveText() == "meanwhile")
        _ = try await fleet.a.counters(DatagramHost.table(of: 0)) { $0.total.sent == 2 }
        #expect(fleet.a.relay.counters.total.sent == 2)
        // A table in which nothing is left: a peer finds the port closed.
        try fleet.a.restart(RoutingTable.Application())
        let peer = try fleet.bareSocket(port: 0)
        try peer.connect(fleet.a.address)
        _ = await fleet.a.next { if case .ready(let ports) = $0 { ports.isEmpty } else { false } }
        try peer.sendUntilRefused()
    }

    @Test("has room in each of its sockets for 5000 datagrams of 512 bytes while nobody reads")
    func room() async throws {
        let fleet = try await DatagramFleet()
        let servers = try [fleet.a, fleet.b].map { try $0.socket(of: 1) }
        let clients = try [fleet.a, fleet.b].map { try $0.socket(of: 1, port: 0) }
        let here = try DatagramStream.pair(clients[0], servers[1], at: fleet.b.address)
        let there = try DatagramStream.pair(clients[1], servers[0], at: fleet.a.address)
        let batch = [[UInt8]](repeating: [UInt8](repeating: 1, count: 512), count: 100)
        // By the registered port's socket from a version here and from the peer's router, by a peer's socket.
        for (round, stream) in [here[0], there[0], there[1]].enumerated() {
            let before = fleet.a.relay.counters
            let handover = fleet.a.relay.handOver()
            for _ in 0..<Self.batches { try stream.from.send(batch, to: stream.target) }
            let isPeers = round == 1
            if isPeers {
                _ = try await fleet.b.counters(DatagramHost.table(of: 1)) { $0.total.sent >= 100 * Self.batches }
            }
            try fleet.a.resume(handover, DatagramHost.table(of: 0))
            let counters = try await fleet.a.counters(DatagramHost.table(of: 0)) {
                $0.total.sent + $0.total.delivered >= before.total.sent + before.total.delivered + 100 * Self.batches
            }
            #expect(counters.dropped == [:])
        }
    }

    private static let batches: UInt64 = 50
}
