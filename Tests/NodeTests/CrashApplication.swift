import ExampleFleet
import IrisLogFleet
import RedisFleet
import VersionKitControl
import VersionKitModel

/// What the nodes of a crash story run, and who uses it.
struct CrashApplication: Sendable {
    var name: String
    /// The environments of what runs beside it: nobody touches them.
    var neighbours: [String] = []
    /// Has clients use version 1, which is started first if it is not there yet.
    var use: @Sendable (TestFleet, FleetNode) async throws -> any CrashClients

    /// Its state is copied by a migrator of the release.
    static let irislog = CrashApplication(name: "irislog") { fleet, node in try await fleet.load(node, protocol: 1) }

    /// Redis, whose state its proxy copies key by key: the release has no migrator.
    static let redis = CrashApplication(name: RedisReleases.application, neighbours: ["irislog-1"]) { fleet, node in
        try await node.publish(RedisStoryReleases.shared.value.version1)
        let status = try await fleet.wait(for: "Redis 1", on: node) { status in
            status.only(RedisReleases.application).serves(only: 1)
        }
        guard let address = status.only(RedisReleases.application).version(1)?.addresses?.primary else {
            throw FleetError("Redis 1 is nowhere")
        }
        try await Filling.fill(address, from: node.host, keys: RedisStoryReleases.keys)
        let check = try CheckProcess(
            on: node.host, programs: fleet.releases.programs, log: node.directory + "/check.log", connections: 2,
            pauseMicroseconds: 5000)
        try await fleet.wait(for: "writes", on: node) { _ in check.numbers.writes > 0 }
        return check
    }
}

/// Two releases of Redis, made once for all stories.
struct RedisStoryReleases: Sendable {
    /// Keys that are there before clients come, and how many of them are copied in a second: so copying takes a while.
    static let keys = 200
    private static let keysPerSecond = 400

    let version1: String
    let version2: String

    static let shared = Task {
        let programs = try await TestReleases.shared.value.programs
        let releases = RedisReleases(Workshop(programs: programs, directory: TestReleases.directory))
        return RedisStoryReleases(
            version1: try await releases.make(1, retirementPeriod: 300),
            version2: try await releases.make(
                2, retirementPeriod: 300, settings: [#""migration": { "recordsPerSecond": \#(keysPerSecond) }"#]))
    }
}

/// Clients that know what was acknowledged to them.
protocol CrashClients: Sendable {
    /// Has them stop and read everything back.
    ///
    /// - Returns: how many writes were acknowledged, and how many of these are not there.
    func readBack() async throws -> (writes: Int, lost: Int)
}

extension LoadProcess: CrashClients {
    func readBack() async throws -> (writes: Int, lost: Int) {
        let numbers = try await finish()
        return (numbers.updates, numbers.lost)
    }
}

extension CheckProcess: CrashClients {
    func readBack() async throws -> (writes: Int, lost: Int) {
        let numbers = try await finish(within: TestFleet.patience)
        guard numbers.isFinal else { throw FleetError("redis-check could not read everything back") }
        return (numbers.writes, numbers.lost)
    }
}

extension NodeStatus {
    /// What it says of one application.
    func only(_ name: String) -> NodeStatus {
        var status = self
        status.applications.removeAll { $0.application.rawValue != name }
        return status
    }
}
