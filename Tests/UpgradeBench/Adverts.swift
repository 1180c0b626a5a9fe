import ExampleFleet
import VersionKitControl
import VersionKitModel
import VersionKitReleases
import VersionKitUpgrade

/// How long it takes until every host has heard of a version: by nothing but what the application's nodes say to each other,
/// or also by messages between routers.
struct Adverts {
    private let nodes: Int
    private let hasKey: Bool

    init(_ settings: Settings) throws {
        nodes = try settings.number("nodes")
        hasKey = try settings.text("key") == "yes"
    }

    func run() async throws {
        let key = "/run/fleet.key"
        if hasKey { try FleetKey.make(at: key) }
        let fleet = try await BenchFleet(hosts: nodes, settings: hasKey ? ["\"fleetKey\": \"\(key)\""] : [])
        defer { fleet.stop() }
        try await fleet.install(try await fleet.release(1))
        let second = try await fleet.release(2)
        for host in fleet.hosts {
            try await fleet.wait("a peer", on: host) { $0.applications.first?.peers.isEmpty == false }
        }
        try await fleet.hosts[0].publish(second)
        for host in fleet.hosts {
            try await fleet.wait("word of version 2", on: host) { status in
                status.applications.first?.versions.contains { $0.version == 2 && !$0.stages.isEmpty } == true
            }
        }
        // Peers hear of a version from when it serves.
        let began = try await fleet.began(.serve, of: 2, on: fleet.hosts[0])
        var times: [Double] = []
        for host in fleet.hosts.dropFirst() {
            times.append(Double(try await fleet.began(.download, of: 2, on: host) - began))
        }
        times.sort()
        tell("median knows", times[times.count / 2], "ms")
        tell("last knows", times[times.count - 1], "ms")
    }
}
