import ExampleFleet
import Glibc
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitSockets
import VersionKitUpgrade

/// Goal: `peersBeforeServe` decides whether the nodes of a new version speak with each other while state is copied to it. Method: a
/// service on two hosts, whose version 2 is kept in Migrate, and a client within its environment.
@Suite("Peers of a version that does not serve yet", .serialized)
struct EarlyPeersTests {
    /// What version 2 of a host gets to hear at the registered port of another one.
    private func answer(_ fleet: PeersFleet, from version1: Set<Int32>, _ kind: SocketKind) throws -> String {
        let environment = try fleet.environment(of: fleet.hosts[0], besides: version1)
        defer { close(environment) }
        let peer = Endpoint(address: try #require(IPAddress("10.99.0.2")), port: PeersFleet.port)
        // A connection may be refused at once.
        guard let client = try? PortClient(in: environment, kind, to: peer, seconds: 5) else { return "refused" }
        return client.ask()
    }

    @Test("reach it where the release says so, and otherwise not before it serves", arguments: [true, false])
    func early(isEarly: Bool) async throws {
        let fleet = try await PeersFleet("early-\(isEarly)", kernelPath: "none", held: .init(peersBeforeServe: isEarly))
        let version1 = ProcessFiles.agents(state: fleet.hosts[0].state)
        for host in fleet.hosts { try await host.publish(fleet.releases[1]) }
        for host in fleet.hosts {
            let status = try await fleet.wait("migration", on: host) { $0.version(2)?.stage == .migrate }
            #expect(status.version(2)?.state != .failed, "\(status.version(2)?.reason ?? "")")
        }
        for kind in [SocketKind.stream, .datagrams] {
            let answer = try answer(fleet, from: version1, kind)
            #expect((answer == "2") == isEarly, "\(kind): \(answer)")
        }
        try fleet.letMigrate()
        for host in fleet.hosts { try await fleet.wait("version 2", on: host) { $0.version(2)?.state == .serving } }
        for kind in [SocketKind.stream, .datagrams] { #expect(try answer(fleet, from: version1, kind) == "2") }
    }
}
