import ExampleFleet
import FoundationEssentials
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitJournal
import VersionKitModel
import VersionKitTestbed
import VersionKitUpgrade

/// Goal: wherever versiond is killed, a version serves afterwards and nothing that was acknowledged is lost. Method: the
/// boundaries of an undisturbed run are counted; then there is a run for each of them that ends there.
@Suite("versiond killed at each write of its journal and before each effect", .serialized)
struct CrashPointTests {
    /// How many runs go on at a time: most of each is waiting.
    private static let width = 4

    /// What an operator does, and what is to come of it in the end.
    struct Story: Sendable {
        var name: String
        var release: @Sendable (TestReleases) -> String
        var isRolledBack = false
        /// Whether that is when the old version has retired, with what was written since.
        var isReplayed = false
        var settings: [String] = []
        /// Whether the versions run one after the other: then there is a time without any.
        var isInPlace = false
        /// The boundaries from one run to the next: what is not at every one is so at all of another story's.
        var stride = 1
        /// Whether boundaries count only from the moment in which both versions serve.
        var beginsLate = false
        /// Whether the machine is switched off, rather than versiond killed.
        var reboots = false

        /// The version that is to remain, and no other one.
        var survivor: Version { isRolledBack ? 1 : 2 }

        /// What versiond does last of all.
        var lastBoundary: String { isRolledBack ? "version 2 is undone" : "" }

        func isOver(_ status: NodeStatus) -> Bool {
            guard isRolledBack else { return status.serves(only: 2) && status.version(1)?.state == .retired }
            return status.serves(only: 1) && status.version(2)?.state == .failed
                && status.version(1)?.addresses != nil
        }

        /// What an operator asks for next.
        func request(_ status: NodeStatus, _ releases: TestReleases) -> ControlRequest? {
            if status.version(2) == nil { return .publish(directory: release(releases)) }
            if isReplayed {
                guard status.serves(only: 2), let id = ApplicationID(rawValue: "irislog"),
                    let replay = status.version(1)?.replay
                else { return nil }
                #expect(replay.failure == nil)
                return replay.snapshot.map { .restore(application: id, snapshot: $0) }
            }
            guard isRolledBack, status.applications.first?.serving == [1, 2] else { return nil }
            return ApplicationID(rawValue: "irislog").map { .rollback(application: $0) }
        }
    }

    @Test("an upgrade with snapshots, and the retirement of the old version")
    func upgrade() async throws {
        let snapshots = #""snapshots": { "beforeUpgrade": true, "beforeRetirement": true }"#
        try await everywhere(Story(name: "upgrade", release: { $0.version2 }, settings: [snapshots]))
    }

    @Test("a rollback while both versions run")
    func rollback() async throws {
        try await everywhere(Story(name: "rollback", release: { $0.lasting2 }, isRolledBack: true, beginsLate: true))
    }

    @Test("a version that retires with a log that goes on from there")
    func retirement() async throws {
        try await everywhere(
            Story(name: "retirement", release: { $0.replaying2 }, isRolledBack: true, isReplayed: true, stride: 3))
    }

    @Test("the way back to a version that retired, with what was written since")
    func replay() async throws {
        try await everywhere(
            Story(
                name: "replay", release: { $0.replaying2 }, isRolledBack: true, isReplayed: true, beginsLate: true))
    }

    @Test("an upgrade to a version that fails")
    func failure() async throws {
        try await everywhere(Story(name: "failure", release: { $0.crashing2 }, isRolledBack: true, stride: 3))
    }

    @Test("an upgrade of a machine that is switched off")
    func reboot() async throws {
        try await everywhere(Story(name: "reboot", release: { $0.version2 }, stride: 4, reboots: true))
    }

    @Test("an upgrade in place")
    func inPlace() async throws {
        try await everywhere(Story(name: "in place", release: { $0.package2 }, isInPlace: true))
    }

    @Test("an upgrade in place to a version that fails")
    func failureInPlace() async throws {
        try await everywhere(
            Story(
                name: "failure in place", release: { $0.crashingPackage2 }, isRolledBack: true, isInPlace: true,
                stride: 3))
    }

    private func everywhere(_ story: Story) async throws {
        let count = try await run(story, until: nil)
        try #require(count > (story.beginsLate ? 5 : 20), "\(count) boundaries are too few to be all")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, boundary) in stride(from: 1, through: count, by: story.stride).enumerated() {
                if index >= Self.width { try await group.next() }
                group.addTask { _ = try await run(story, until: boundary) }
            }
            try await group.waitForAll()
        }
    }

    /// Runs a story on a node of its own.
    ///
    /// - Parameter boundary: where versiond ends; `nil`: nowhere.
    /// - Returns: how many boundaries were passed.
    private func run(_ story: Story, until boundary: Int?) async throws -> Int {
        let fleet = try await TestFleet(hosts: 1, settings: story.settings, diesAtCrashPoints: true)
        let load = try await fleet.load(fleet.nodes[0], protocol: 1)
        let plenty = 1_000_000
        if !story.beginsLate { try fleet.nodes[0].arm(boundary ?? plenty) }
        let deadline = ContinuousClock.now + TestFleet.patience
        var place = ""
        while true {
            if place.isEmpty, fleet.nodes[0].process.exit != nil {
                place = fleet.nodes[0].crashPoint
                // From here on they are only counted.
                try fleet.nodes[0].arm(plenty)
                if story.reboots { fleet.nodes[0].switchOff() }
                fleet.nodes[0] = try fleet.nodes[0].restarted()
            }
            let node = fleet.nodes[0]
            let status = await node.status()
            if let status {
                #expect(
                    story.isInPlace || status.applications.first?.serving.isEmpty == false,
                    "nobody serves after '\(place)'")
                // Clients are served again, too: they read back what was acknowledged to them.
                let isServed = status.applications.first?.proxy?.requests ?? 0 > 0
                if story.isOver(status), isServed, node.hasPassed(story.lastBoundary) { break }
                // An operator who had no answer asks again.
                if let request = story.request(status, fleet.releases) {
                    switch request {
                    case .rollback, .restore: if story.beginsLate, place.isEmpty { try node.arm(boundary ?? plenty) }
                    default: break
                    }
                    _ = try? await node.ask(request)
                }
            }
            guard ContinuousClock.now < deadline else {
                throw FleetError(
                    "\(story.name) \(boundary ?? 0) is not over, after '\(place)': "
                        + "\(status.map(StatusTable.text) ?? "no answer")\n\(RestartedNode(node: node).log.suffix(4000))"
                )
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        let numbers = try await load.finish()
        #expect(numbers.lost == 0, "after '\(place)'")
        #expect(numbers.updates > 0)
        let left = CrashPoint.left(in: fleet.nodes[0].crashPoints) ?? 0
        // Boundaries are not quite the same in each run, as samples and retries differ: one run may have had fewer.
        #expect(!place.isEmpty || left > 0)
        try await expectNothingLeft(of: story, fleet, place)
        return plenty - left
    }

    /// Expects one environment, one agent, one link and one proxy.
    private func expectNothingLeft(of story: Story, _ fleet: TestFleet, _ place: String) async throws {
        let node = fleet.nodes[0]
        let wanted = ["irislog-\(story.survivor)"]
        try await fleet.wait(for: "end of what is over, after '\(place)'", on: node) { _ in
            ProcessFiles.names("\(node.directory)/state/environments/namespaces") == wanted
        }
        #expect(RestartedNode(node: node).versions.count == 1, "after '\(place)'")
        let links = try node.host.run("ip", ["-oneline", "link", "show", "type", "veth"]).output
        #expect(links.split(separator: "\n").filter { $0.contains(" vk") }.count == 1, "after '\(place)': \(links)")
        #expect(RestartedNode(node: node).proxies.count <= 1, "after '\(place)'")
    }
}

extension FleetNode {
    /// The file in which versiond counts its boundaries down.
    var crashPoints: String { "\(directory)/crash-points" }

    /// Has versiond end before it does so many things more.
    fileprivate func arm(_ count: Int) throws { try write("\(count)\n", to: crashPoints) }

    /// What versiond was about to do when it ended, or did last.
    var crashPoint: String { (try? String(contentsOfFile: crashPoints, encoding: .utf8)) ?? "" }

    /// Whether versiond came to this boundary, and beyond.
    fileprivate func hasPassed(_ name: String) -> Bool {
        (name.isEmpty || crashPoint.contains(name)) && (CrashPoint.left(in: crashPoints) ?? 0) > 0
    }

    /// What is left of a host after its power was off: files. versiond has ended.
    fileprivate func switchOff() {
        for process in ProcessFiles.agents(state: "\(directory)/state") { kill(process, SIGKILL) }
    }
}
