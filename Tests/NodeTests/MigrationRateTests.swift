import ExampleFleet
import Glibc
import RedisFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitTestbed
import VersionKitUpgrade

/// Goal: a node's copying key by key keeps to the rate of the release. Method: two real redis-servers on one host, and a rate that
/// makes of a moment some seconds.
@Suite("Rates of copying", .serialized)
struct MigrationRateTests {
    private static let keys = 600
    private static let keysPerSecond = 200

    @Test("the proxy takes as long for all keys as the release's rate asks for, and has copied each")
    func keyed() async throws {
        try #require(getenv("VERSIONKIT_SANDBOX") != nil, "run inside scripts/sandbox, as `make test` does")
        let directory = "/run/migration-rate"
        try #require(mkdir(directory, 0o755) == 0)
        let programs = try Programs.directory()
        let workshop = Workshop(programs: programs, directory: directory)
        let key = try await workshop.makeKey()
        let releases = RedisReleases(workshop)
        let release1 = try await releases.make(1, retirementPeriod: 300)
        let release2 = try await releases.make(
            2, retirementPeriod: 300, settings: [#""migration": { "recordsPerSecond": \#(Self.keysPerSecond) }"#])
        var plan = TestbedPlan()
        plan.segment("lan")
        plan.host("server", address: "10.99.0.1", on: "lan")
        let testbed = try Testbed(plan)
        defer { testbed.stop() }
        let host = try #require(testbed["server"])
        let node = try ManagedHost.start(
            host, application: RedisReleases.application, key: key, programs: programs, directory: "\(directory)/server"
        )
        _ = try await wait("versiond", on: node) { _ in true }
        try await node.publish(release1)
        let before = try await wait("version 1", on: node) { $0.serves(only: 1) }
        let address = try #require(before.version(1)?.addresses?.primary)
        try await Filling.fill(address, from: host, keys: Self.keys)
        try await node.publish(release2)
        let status = try await wait("version 2 alone", on: node) { $0.serves(only: 2) }
        let report = try #require(status.version(2)?.report)
        #expect(report.progress.copied >= UInt64(Self.keys))
        let least = Duration.seconds(Self.keys) / Self.keysPerSecond - MigrationPace.burst
        #expect(.milliseconds(try #require(report.milliseconds)) >= least)
    }

    private func wait(
        _ what: String, on node: ManagedHost, until isReached: (NodeStatus) -> Bool
    ) async throws -> NodeStatus {
        let deadline = ContinuousClock.now + TestFleet.patience
        var last: NodeStatus?
        while ContinuousClock.now < deadline {
            last = await node.status()
            if let last, isReached(last) { return last }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw FleetError("no \(what); last: \(last.map(StatusTable.text) ?? "no answer")")
    }
}
