import ExampleFleet
import FoundationEssentials
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitUpgrade

/// Goal: whichever process of an upgrade is killed, and whenever, a version serves, nothing that was acknowledged is lost, and
/// the reason can be seen. Method: real nodes with clients; the kernel kills. The migrator is in ``MigrationResumeTests``,
/// versiond in ``CrashPointTests``.
@Suite("Processes that are killed during an upgrade", .serialized)
struct KilledProcessTests {
    enum Victim: String, CaseIterable {
        case newVersion, oldVersion, proxy
    }

    static let cases = Victim.allCases.flatMap { victim in
        UpgradeStage.allCases.filter { victim != .newVersion || $0.isStarted }.map { (victim, $0) }
    }

    @Test("one is killed in one stage", arguments: cases)
    func killed(_ victim: Victim, during stage: UpgradeStage) async throws {
        // A snapshot of the old version makes of its retirement more than a moment.
        let fleet = try await TestFleet(hosts: 1, settings: [#""snapshots": { "beforeRetirement": true }"#])
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        try await node.publish(fleet.releases.version2)
        let order = UpgradeStage.allCases
        let wanted = try #require(order.firstIndex(of: stage))
        var killed: Set<Int32> = []
        try await fleet.wait(for: "\(victim.rawValue) in \(stage.title)", on: node) { status in
            guard status.applications.first?.serving.isEmpty == false else {
                Issue.record("nobody serves")
                return true
            }
            let reached = status.version(2)?.stages.last.flatMap { order.firstIndex(of: $0.stage) } ?? -1
            guard reached >= wanted else { return false }
            killed = processes(of: victim, on: node)
            return !killed.isEmpty || (victim == .oldVersion && status.version(1)?.state == .retired)
        }
        // An old version that retires may be gone before it can be killed.
        #expect(!killed.isEmpty || (victim == .oldVersion && stage == .retire))
        for process in killed { kill(process, SIGKILL) }
        let status = try await fleet.wait(for: "an end", on: node) { status in
            #expect(status.applications.first?.serving.isEmpty == false, "nobody serves")
            if status.serves(only: 2) { return status.version(1)?.state == .retired }
            return status.serves(only: 1) && status.version(2)?.state == .failed
        }
        if victim == .newVersion {
            #expect(status.serves(only: 2) || status.version(2)?.reason?.isEmpty == false)
        } else {
            // The old version's end, or the proxy's, says nothing against the new one.
            #expect(status.serves(only: 2), "\(status.version(2)?.reason ?? "")")
        }
        // A version that was killed is started again: it is the clients who say when it is back.
        let updates = load.numbers.updates
        try await fleet.wait(for: "another update", on: node) { _ in load.numbers.updates > updates }
        let numbers = try await load.finish()
        #expect(numbers.lost == 0, "\(numbers.reasons)")
        let survivor = status.serves(only: 2) ? "irislog-2" : "irislog-1"
        try await fleet.wait(for: "one environment", on: node) { _ in
            ProcessFiles.names("\(node.directory)/state/environments/namespaces") == [survivor]
        }
    }

    private func processes(of victim: Victim, on node: FleetNode) -> Set<Int32> {
        switch victim {
        case .proxy: return RestartedNode(node: node).proxies
        case .oldVersion: return ProcessFiles.version(1, on: node)
        case .newVersion: return ProcessFiles.version(2, on: node)
        }
    }
}

extension UpgradeStage {
    fileprivate var isStarted: Bool { [.running, .migrate, .serve, .retire].contains(self) }
}
