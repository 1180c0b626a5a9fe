import BenchDriver
import CFSFleet
import ExampleFleet
import VersionKitTestbed

/// Nodes by themselves, without VersionKit.
struct NativeRing {
    private let hosts: BenchHosts
    private let generation: Int

    init(_ settings: Settings, generation: Int) throws {
        hosts = try BenchHosts(settings, directory: "/run/cfs-bench-native")
        self.generation = generation
        guard [1, 2].contains(generation) else { throw FleetError("there are the generations 1 and 2") }
    }

    static func measure(_ settings: Settings) async throws {
        let ring = try NativeRing(settings, generation: try settings.number("generation"))
        defer { ring.stop() }
        try await ring.start()
        try await DBM.measure([("", ring.client)], repeats: ring.hosts.repeats)
    }

    /// Who stores and fetches.
    var client: DBM { hosts.client(form: generation == 1 ? "2004" : "2008") }

    func stop() { hosts.stop() }

    /// Returns when the nodes are a ring.
    func start() async throws {
        let directory = hosts.directory
        // As on machines of their own, and as with VersionKit: what hosts run is not in memory once for all of them.
        let workshop = Workshop(programs: hosts.programs, directory: directory)
        for (index, host) in hosts.hosts.enumerated() {
            let programs = "\(directory)/programs/\(host.name)"
            try await workshop.copyPrograms([CFSFleet.program(generation)], to: programs)
            _ = try hosts.fleet.startNode(generation, index + 1, on: host, programs: programs, directory: directory)
        }
        let nodes = try NodeProcesses(
            generation, data: { "\(directory)/\(CFSFleet.name($0))" }, count: hosts.hosts.count)
        try await Patience.wait(for: "ring") { await nodes.missing(of: hosts.hosts.count) }
    }
}
