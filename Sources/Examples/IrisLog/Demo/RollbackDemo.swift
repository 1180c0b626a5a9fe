import ExampleFleet
import IrisLogDemoModel
import IrisLogFleet
import VersionKitControl
import VersionKitModel
import VersionKitProcesses

/// The demonstration of releases that are taken back, step by step.
final class RollbackDemo {
    private static let reason = "its answers are not what we want"
    /// How long release 2 is well, and how long it would be watched: it is never promoted.
    private static let secondsUntilBad = 6
    private static let watchedForever = 600_000
    /// How long release 3 is watched.
    private static let watched = 2500

    private let place: DemoFleet
    private let retirementPeriod: Int
    private let bad: BadRelease
    private let start = ContinuousClock.now
    private var log = StepLog()
    private var report = RollbackReport()

    init(place: DemoFleet, retirementPeriod: Int, bad: BadRelease) {
        self.place = place
        self.retirementPeriod = retirementPeriod
        self.bad = bad
    }

    private var canary: FleetNode { place.nodes[0] }
    private var canaryName: String { canary.member.name }

    func run() async throws -> RollbackReport {
        say("Making releases of IrisLog: 1, a bad 2 and a good 3 ...")
        let key = try await place.staging.makeKey()
        let release1 = try await place.staging.makeRelease(1, retirementPeriod: retirementPeriod)
        let release2 = try await place.staging.makeRelease(
            2, retirementPeriod: retirementPeriod, start: bad.start(after: Self.secondsUntilBad), health: bad.health,
            settings: [ReleaseStaging.spread(percent: 0, milliseconds: Self.watchedForever)])
        let release3 = try await place.staging.makeRelease(
            3, replaces: 1, retirementPeriod: retirementPeriod,
            settings: [ReleaseStaging.spread(percent: 0, milliseconds: Self.watched)])
        try await place.start(with: release1, key: key)
        try await place.startClients()

        begin("version 1 serves everywhere")
        try await place.wait("not every node has a peer") { $0.applications.first?.peers.isEmpty == false }
        try await Task.sleep(for: DemoFleet.calm)
        do {
            try await tryBadRelease(release2)
            try await spreadGoodRelease(release3)
            try await goBack()
        } catch {
            // The figures of what was reached are worth more than the complaint alone.
            report.troubles.append("\(error)")
        }
        return try await conclude()
    }

    // MARK: Steps

    private func tryBadRelease(_ release: String) async throws {
        let failedBefore = canaryFailures
        begin("release 2 is tried out, and found to be bad")
        place.tell("Release 2 is published on \(canaryName), which tries it out; the others wait ...")
        try await canary.publish(release)
        try await place.wait("release 2 was not taken away", on: [canaryName], mayFail: [2]) {
            $0.version(2)?.state == .failed && $0.version(2)?.addresses == nil
        }
        // Whoever never heard of it, since it ended before it served, has nothing to withdraw.
        try await place.wait("release 2 was not withdrawn everywhere", mayFail: [2]) {
            $0.serves(only: 1) && ($0.version(2)?.state ?? .failed) == .failed && $0.version(2)?.addresses == nil
        }
        let reason = await place.look().first { $0.name == canaryName }?.status?.version(2)?.reason
        place.tell("\(canaryName) found it to be bad, and told the others: \(reason ?? "no reason")")
        try await Task.sleep(for: DemoFleet.calm)
        if bad == .crashing { report.excused = canaryFailures - failedBefore }
        if place.sightings.served(2) != [canaryName] {
            report.troubles.append("release 2 was taken away before it served")
        }
    }

    private func spreadGoodRelease(_ release: String) async throws {
        begin("release 3 is tried out, spreads, and version 1 retires")
        place.tell("Release 3 is published on \(canaryName), and spreads when it vouches for it ...")
        try await canary.publish(release, within: place.timeout)
        try await place.wait("version 3 did not take over everywhere", mayFail: [2]) { $0.serves(only: 3) }
        let hasty = place.sightings.hasty(3, triedOn: canaryName, milliseconds: Self.watched)
        if !hasty.isEmpty { report.troubles.append("\(hasty) began with release 3 before anybody vouched for it") }

        begin("version 3 serves alone")
        place.tell("Clients write what version 1 never had ...")
        try await Task.sleep(for: DemoFleet.calm)
        try await place.waitForUpdates(beyond: place.loads.map(\.numbers.updates))
    }

    private func goBack() async throws {
        begin("release 3 is withdrawn, and version 1 is back")
        // Any node will do; it need not be the one that had it first.
        let node = place.nodes[place.nodes.count - 1]
        place.tell("On \(node.member.name): versionctl withdraw irislog 3 --reason '\(Self.reason)'")
        let result = try await node.versionctl("withdraw", [Fleet.application, "3", "--reason", Self.reason])
        guard result.exit.isSuccess else { throw FleetError("versionctl withdraw: \(result.output)") }
        try await place.wait("version 1 did not come back everywhere", mayFail: [2]) {
            $0.serves(only: 1) && $0.version(3)?.addresses == nil
        }

        begin("version 1 serves everywhere again")
        try await Task.sleep(for: DemoFleet.calm)
    }

    // MARK: What comes of it

    private func conclude() async throws -> RollbackReport {
        log.end(at: elapsed, place.numbers)
        report.steps = log.steps
        report.milliseconds = Int(elapsed.inSeconds * 1000)
        let (total, complaints) = try await place.finishClients()
        report.troubles += complaints
        report.requests = total.requests
        report.failed = total.failed
        report.updates = total.updates
        report.lost = total.lost
        let statuses = await place.look()
        report.nodes = statuses.count
        report.badReleaseNodes = place.sightings.begun(2)
        if report.badReleaseNodes != [canaryName] {
            report.troubles.append("release 2 ran on \(report.badReleaseNodes), and not on \(canaryName) alone")
        }
        report.nodesBack = statuses.filter { $0.status?.serves(only: 1) ?? false }.count
        for version: Version in [2, 3, 1] {
            place.tell("\nversion \(version)\(version == 1 ? ", again" : "")")
            say(StageTable.text(statuses, version: version))
        }
        say("\n\(log.text)\n")
        for trouble in report.troubles { say("  failed: \(trouble)") }
        if !report.isGood { for case (_, let status?) in statuses { say(StatusTable.text(of: status) + "\n") } }
        return report
    }

    private var elapsed: Duration { ContinuousClock.now - start }

    private func begin(_ step: String) { log.begin(step, at: elapsed, place.numbers) }

    /// Failed requests of the clients on the node that tries releases out.
    private var canaryFailures: Int {
        // A node's clients follow each other.
        place.loads.prefix(place.loads.count / max(1, place.nodes.count)).map(\.numbers.failed).reduce(0, +)
    }
}
