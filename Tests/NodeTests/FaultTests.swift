import ExampleFleet
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitTestbed
import VersionKitUpgrade

@Suite("Faults during an upgrade", .serialized)
struct FaultTests {
    /// Publishes a release that fails, and expects the old version to serve on as if nothing had been.
    private func expectFailure(
        of release: KeyPath<TestReleases, String>, stage: UpgradeStage, reason: String
    ) async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        try await node.publish(fleet.releases[keyPath: release])
        let status = try await fleet.wait(for: "failure", on: node) {
            $0.version(2)?.state == .failed && $0.version(2)?.addresses == nil
        }
        let version = try #require(status.version(2))
        #expect(version.stage == stage)
        #expect(version.reason?.contains(reason) == true, "\(version.reason ?? "no reason")")
        #expect(status.applications.first?.serving == [1])
        // The environment and what it wrote are gone.
        let directory = "\(node.directory)/state/environments/namespaces/irislog-2"
        try await fleet.wait(for: "removal of \(directory)", on: node) { _ in access(directory, F_OK) != 0 }
        let numbers = try await load.finish()
        #expect(numbers.failed == 0, "\(numbers.reasons)")
        #expect(numbers.lost == 0)
    }

    @Test("a new version that exits at once is removed, the old one serves on, and status has the reason")
    func exitsAtOnce() async throws {
        try await expectFailure(of: \.crashing2, stage: .running, reason: "exited with code 3: no disk left")
    }

    @Test("a new version that never becomes healthy is removed, the old one serves on, and status has the reason")
    func neverHealthy() async throws {
        try await expectFailure(of: \.silent2, stage: .running, reason: "did not become healthy")
    }

    @Test("a release that is forged, damaged or older is refused with a message that says why")
    func refusedReleases() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        for (release, reason) in [
            (fleet.releases.forged2, "signed by"), (fleet.releases.damaged2, "what came is"),
            (fleet.releases.version1, "what this node runs already"),
        ] {
            guard case .refused(let message) = try await node.ask(.publish(directory: release)) else {
                Issue.record("\(release) was accepted")
                continue
            }
            #expect(message.contains(reason), "\(message)")
        }
        try await node.publish(fleet.releases.version2)
        try await fleet.wait(for: "version 2", on: node) { $0.serves(only: 2) }
        guard case .refused(let message) = try await node.ask(.publish(directory: fleet.releases.version1)) else {
            Issue.record("an older version was accepted")
            return
        }
        #expect(message.contains("older than what this node runs (2)"), "\(message)")
    }

    @Test(
        "versiond killed during an upgrade and started again completes it, and loses no acknowledged update",
        arguments: [UpgradeStage.prepareFileSystem, .configureApplication, .running, .migrate, .serve])
    func killed(during stage: UpgradeStage) async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 2)
        try await node.publish(fleet.releases.version2)
        let order = UpgradeStage.allCases
        let wanted = try #require(order.firstIndex(of: stage))
        try await fleet.wait(for: stage.title, on: node) { status in
            guard let version = status.version(2) else { return false }
            return (version.stages.last.flatMap { order.firstIndex(of: $0.stage) } ?? -1) >= wanted
        }
        node.process.kill()
        _ = try await node.process.wait()
        let again = try node.restarted()
        fleet.nodes[0] = again
        try await fleet.wait(for: "version 2 alone", on: again) { $0.serves(only: 2) }
        // Clients saw their connections break while versiond was away; what was acknowledged to them is there.
        let numbers = try await load.finish()
        #expect(numbers.lost == 0)
        #expect(numbers.updates > 0)
    }
}
