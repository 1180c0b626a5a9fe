import CFSFleet
import ExampleFleet
import Foundation
import VersionKitControl
import VersionKitModel
import VersionKitTestbed
import VersionKitUpgrade

/// The demonstration, step by step.
final class Demo {
    private static let directory = "/run/cfs-demo"
    private static let pollInterval = Duration.milliseconds(200)
    /// How long clients work before something happens, and after it.
    private static let calm = Duration.seconds(5)
    /// How often somebody tries to publish before the ring has formed.
    private static let firstAttempts = 60

    private let options: CFSDemo
    private let fleet: CFSFleet
    private let programs: String
    private let started = ContinuousClock.now
    private var nodes: [ManagedHost] = []
    private var lastStates: [String: String] = [:]

    init(_ options: CFSDemo) throws {
        guard mkdir(Self.directory, 0o755) == 0 else {
            throw FleetError("run this in scripts/sandbox: \(Self.directory) cannot be made")
        }
        self.options = options
        fleet = CFSFleet(hosts: options.hosts)
        programs = try Programs.directory()
    }

    func run() async throws -> Outcome {
        say("Taking a tree of files from the toolchain ...")
        let tree = try SampleTree(
            in: "\(Self.directory)/tree", files: options.files, bytes: options.megabytes * 1_000_000)
        say("Making the releases of generation 1 (2004) and 2 (2008) ...")
        let workshop = Workshop(programs: programs, directory: Self.directory)
        let key = try await workshop.makeKey()
        let release1 = try await fleet.makeRelease(1, in: workshop, retirementPeriod: options.retirement)
        let release2 = try await fleet.makeRelease(2, in: workshop, retirementPeriod: options.retirement)
        let settings = ["\"fleetKey\": \"\(try await workshop.makeFleetKey())\""]

        let testbed = try Testbed(fleet.plan)
        defer { testbed.stop() }
        say("Starting \(options.hosts) hosts with generation 1 ...")
        let hosts = try (1...options.hosts).map { number in
            guard let host = testbed[CFSFleet.name(number)] else { throw FleetError("there is no host \(number)") }
            return host
        }
        nodes = try hosts.enumerated().map { index, host in
            try fleet.start(
                index + 1, on: host, programs: programs, directory: Self.directory, key: key, settings: settings)
        }
        try await wait("versiond did not start everywhere") { _ in true }
        for node in nodes { try await node.publish(release1) }
        try await wait("generation 1 did not start everywhere") { $0.serves(only: 1) }

        let clients = try Clients(on: hosts, programs: programs, directory: Self.directory)
        say("Publishing \(tree.digests.count) files, \((Double(tree.bytes) / 1e6).tenths) MB ...")
        let name = try await clients.publish(tree, attempts: Self.firstAttempts)
        say("Clients of 2004 and of 2008 read and write ...")
        return try await withThrowingTaskGroup(of: Void.self) { group in
            clients.start(reading: name, in: &group)
            try await Task.sleep(for: Self.calm)
            let (duration, upgraded) = try await upgrade(to: release2)
            if upgraded == nodes.count { try await Task.sleep(for: Self.calm) }
            say("Everything that was acknowledged is read back through the ring that is left ...")
            clients.end()
            try await group.waitForAll()
            var outcome = Outcome(hosts: nodes.count, upgraded: upgraded, duration: duration, files: tree.digests.count)
            try await clients.conclude(name, tree, &outcome)
            return outcome
        }
    }

    /// Gives the first host a release, and waits until it has come everywhere; for how long, and on how many hosts it is.
    private func upgrade(to release: String) async throws -> (Duration, Int) {
        guard let first = nodes.first else { throw FleetError("there are no hosts") }
        say("Generation 2 is published on \(first.host.name) alone ...")
        let start = ContinuousClock.now
        try await first.publish(release)
        do {
            try await wait("generation 2 did not take over everywhere") { $0.isUpgraded }
        } catch let error as FleetError {
            // The figures of what was reached are worth more than the complaint alone.
            say("  failed: \(error)")
        }
        let duration = ContinuousClock.now - start
        let statuses = await look()
        say("")
        say(StageTable.text(statuses, version: 2))
        return (duration, statuses.count { $0.status?.isUpgraded ?? false })
    }

    private func wait(_ complaint: String, until isReached: (NodeStatus) -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(options.timeout)
        while true {
            let statuses = await look()
            if statuses.allSatisfy({ $0.status.map(isReached) ?? false }) { return }
            for (name, status) in statuses {
                for version in status?.applications.first?.versions ?? [] where version.state == .failed {
                    throw FleetError("\(complaint): on \(name): \(version.reason ?? "")")
                }
            }
            guard ContinuousClock.now < deadline else { throw FleetError("\(complaint) within \(options.timeout) s") }
            try await Task.sleep(for: Self.pollInterval)
        }
    }

    /// Every node's status; what is new in it is printed.
    private func look() async -> [(name: String, status: NodeStatus?)] {
        var statuses: [(name: String, status: NodeStatus?)] = []
        for node in nodes {
            let (name, status) = (node.host.name, await node.status())
            let state = status?.line ?? "starting"
            if lastStates.updateValue(state, forKey: name) != state {
                say("  \(pad((ContinuousClock.now - started).inSeconds.tenths, 6)) s  \(pad(name, 5))\(state)")
            }
            statuses.append((name, status))
        }
        return statuses
    }

    /// What each host's versiond said, for finding out what went wrong.
    func printLogs() {
        for node in nodes {
            say("--- \(node.host.name)")
            say((try? String(contentsOfFile: "\(node.directory)/versiond.log", encoding: .utf8)) ?? "no log")
        }
    }
}

extension NodeStatus {
    /// Whether generation 2 serves alone because generation 1 has retired.
    fileprivate var isUpgraded: Bool { serves(only: 2) && version(1)?.state == .retired }

    /// `1 serving | 2 upgrading: Migrate`
    fileprivate var line: String {
        let states = (applications.first?.versions ?? []).map { version in
            let stage = version.state == .retired ? nil : version.stage?.title
            return "\(version.version) \(version.state.rawValue)" + (stage.map { ": \($0)" } ?? "")
        }
        return states.isEmpty ? "no version yet" : states.joined(separator: " | ")
    }
}
