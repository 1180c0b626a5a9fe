import BenchDriver
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
    /// How often each of the application's nodes says something, in milliseconds.
    private let period: Int

    init(_ settings: Settings) throws {
        nodes = try settings.number("nodes")
        hasKey = try settings.text("key") == "yes"
        period = try settings.number("period")
    }

    func run() async throws {
        let key = "/run/fleet.key"
        if hasKey { try FleetKey.make(at: key) }
        let fleet = try await BenchFleet(
            hosts: nodes, period: period, settings: hasKey ? ["\"fleetKey\": \"\(key)\""] : [])
        defer { fleet.stop() }
        try await fleet.install(try await fleet.release(1))
        let second = try await fleet.release(2)
        for host in fleet.hosts {
            try await fleet.wait("a peer", on: host) { $0.applications.first?.peers.isEmpty == false }
        }
        let before = try ProcessorTime.ofMachine()
        try await fleet.hosts[0].publish(second)
        for host in fleet.hosts {
            try await fleet.wait("word of version 2", on: host) { status in
                status.applications.first?.versions.contains { $0.version == 2 && !$0.stages.isEmpty } == true
            }
        }
        let share = try ProcessorTime.ofMachine().share(since: before)
        // Peers hear of a version from when it serves.
        let began = try await fleet.began(.serve, of: 2, on: fleet.hosts[0])
        var times: [Double] = []
        for host in fleet.hosts.dropFirst() {
            times.append(Double(try await fleet.began(.download, of: 2, on: host) - began))
        }
        times.sort()
        tell("median knows", times[times.count / 2], "ms")
        tell("last knows", times[times.count - 1], "ms")
        tell("hops to the farthest", Double(try await hops(fleet)), "hops")
        tell("processors busy with anything", 100 * share, "%")
    }

    /// From how many hosts to the next the word went, on its longest way.
    private func hops(_ fleet: BenchFleet) async throws -> Int {
        var sources: [String: String] = [:]
        for (node, host) in fleet.hosts.enumerated() {
            let words = try await host.history().events.map { $0.text.split(separator: " ") }
            if let heard = words.last(where: { $0.count > 3 && $0[1] == "advertises" && $0[3] == "2" }) {
                sources[hostAddress(node)] = String(heard[0])
            }
        }
        var farthest = 0
        for node in fleet.hosts.indices {
            var (place, hops) = (hostAddress(node), 0)
            while let source = sources[place], hops < fleet.hosts.count { (place, hops) = (source, hops + 1) }
            farthest = max(farthest, hops)
        }
        return farthest
    }
}
