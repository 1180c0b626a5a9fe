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
    private static let width = 6
    private static let plenty = 1_000_000
    /// From one boundary to the next that a run ends at. All of them take a quarter of an hour, so `make test` takes each fourth
    /// of most stories, and `make test-crashes` all of all.
    private static let step = ProcessInfo.processInfo.environment["VERSIONKIT_CRASH_STEP"].flatMap { Int($0) } ?? 4

    @Test("an upgrade with snapshots, and the retirement of the old version")
    func upgrade() async throws { try await everywhere(.upgrade, step: 1) }

    @Test("an upgrade whose state the proxy copies key by key")
    func keyed() async throws { try await everywhere(.keyed) }

    @Test("a rollback while both versions run")
    func rollback() async throws { try await everywhere(.rollback, step: 1) }

    @Test("a version that retires with a log that goes on from there")
    func retirement() async throws { try await everywhere(.retirement) }

    @Test("the way back to a version that retired, with what was written since")
    func replay() async throws { try await everywhere(.replay) }

    @Test("an upgrade to a version that fails")
    func failure() async throws { try await everywhere(.failure) }

    @Test("an upgrade of a machine that is switched off")
    func reboot() async throws { try await everywhere(.reboot) }

    @Test("an upgrade in place")
    func inPlace() async throws { try await everywhere(.inPlace, step: 1) }

    @Test("an upgrade in place to a version that fails")
    func failureInPlace() async throws { try await everywhere(.failureInPlace) }

    @Test("a release that is fetched from a peer")
    func download() async throws { try await everywhere(.download) }

    @Test("a release that is tried out here, and promoted")
    func canary() async throws { try await everywhere(.canary) }

    @Test("a release that waits until another node has tried it out")
    func waiting() async throws { try await everywhere(.waiting) }

    @Test("the way back from a version that is withdrawn when it serves alone")
    func withdrawal() async throws { try await everywhere(.withdrawal) }

    @Test("the way back to a snapshot")
    func snapshot() async throws { try await everywhere(.snapshot) }

    @Test("the way back to a snapshot of the version that serves")
    func snapshotInPlace() async throws { try await everywhere(.snapshotInPlace) }

    private func everywhere(_ story: CrashStory, step: Int = Self.step) async throws {
        let count = try await run(story, until: nil)
        try #require(count > 5, "\(count) boundaries are too few to be all")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (begun, boundary) in stride(from: 1, through: count, by: step).enumerated() {
                if begun >= Self.width { try await group.next() }
                group.addTask { _ = try await run(story, until: boundary) }
            }
            try await group.waitForAll()
        }
    }

    /// Runs a story on a fleet of its own.
    ///
    /// - Parameter boundary: where versiond ends; `nil`: nowhere.
    /// - Returns: how many boundaries were passed.
    private func run(_ story: CrashStory, until boundary: Int?) async throws -> Int {
        let fleet = try await TestFleet(
            hosts: story.hosts, hasKey: story.hasKey, settings: story.settings,
            others: story.application.neighbours.isEmpty ? [] : [story.application.name], diesAtCrashPoints: true)
        let load = try await story.application.use(fleet, fleet.nodes[story.victim])
        var (isArmed, place, counted) = (false, "", nil as Int?)
        if story.forgets { try write("kept", to: fleet.nodes[story.victim].mark) }
        try await story.prepare(fleet.nodes[story.victim])
        let deadline = ContinuousClock.now + TestFleet.patience
        while true {
            if place.isEmpty, fleet.nodes[story.victim].process.exit != nil {
                place = fleet.nodes[story.victim].crashPoint
                // From here on they are only counted.
                try fleet.nodes[story.victim].arm(Self.plenty)
                if story.reboots { fleet.nodes[story.victim].switchOff() }
                fleet.nodes[story.victim] = try fleet.nodes[story.victim].restarted()
            }
            let node = fleet.nodes[story.victim]
            let status = await node.status()?.only(story.application.name)
            if let status {
                #expect(
                    story.isInPlace || status.applications.first?.serving.isEmpty == false,
                    "nobody serves after '\(place)'")
                if !isArmed, story.begins(status) {
                    if story.forgets { try await expectNothingLost(load, place) }
                    try node.arm(boundary ?? Self.plenty)
                    isArmed = true
                }
                if isArmed, counted == nil, story.isElsewhere(status) { counted = passed(node) }
                // Clients are served again, too: they read back what was acknowledged to them.
                let isServed = story.forgets || status.applications.first?.proxy?.requests ?? 0 > 0
                let isBack = !story.forgets || (try? String(contentsOfFile: node.mark, encoding: .utf8)) == "kept"
                if isArmed, story.isOver(status), isServed, isBack, node.hasPassed(story.lastBoundary) { break }
                // An operator who had no answer asks again.
                try? await story.act(fleet, status)
            }
            guard ContinuousClock.now < deadline else {
                throw FleetError(
                    "\(story.name) \(boundary ?? 0) is not over, after '\(place)': "
                        + "\(status.map(StatusTable.text) ?? "no answer")\n\(RestartedNode(node: node).log.suffix(4000))"
                )
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        let node = fleet.nodes[story.victim]
        if story.forgets {
            try await expectNothingLost(fleet.load(node, protocol: 1), place)
        } else {
            try await expectNothingLost(load, place)
        }
        // Boundaries are not quite the same in each run, as samples and retries differ: one run may have had fewer.
        #expect(!place.isEmpty || passed(node) < Self.plenty)
        try await expectNothingLeft(of: story, fleet, place)
        return counted ?? passed(node)
    }

    private func passed(_ node: FleetNode) -> Int { Self.plenty - (CrashPoint.left(in: node.crashPoints) ?? 0) }

    private func expectNothingLost(_ clients: any CrashClients, _ place: String) async throws {
        let (writes, lost) = try await clients.readBack()
        #expect(lost == 0, "after '\(place)'")
        #expect(writes > 0, "after '\(place)'")
    }

    /// Expects one environment, one agent, one link and one proxy, and those of what runs beside the application.
    private func expectNothingLeft(of story: CrashStory, _ fleet: TestFleet, _ place: String) async throws {
        let node = fleet.nodes[story.victim]
        let wanted = Set(story.application.neighbours + ["\(story.application.name)-\(story.survivor)"])
        try await fleet.wait(for: "end of what is over, after '\(place)'", on: node) { _ in
            Set(ProcessFiles.names("\(node.directory)/state/environments/namespaces")) == wanted
        }
        #expect(RestartedNode(node: node).versions.count == wanted.count, "after '\(place)'")
        // The kernel takes links away some time after the last process of their namespace.
        try await fleet.wait(for: "one link, after '\(place)'", on: node) { _ in
            let links = try? node.host.run("ip", ["-oneline", "link", "show", "type", "veth"]).output
            return links?.split(separator: "\n").count { $0.contains(" vk") } == wanted.count
        }
        #expect(RestartedNode(node: node).proxies.count <= wanted.count, "after '\(place)'")
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
    func switchOff() {
        for process in ProcessFiles.agents(state: "\(directory)/state") { kill(process, SIGKILL) }
    }
}
