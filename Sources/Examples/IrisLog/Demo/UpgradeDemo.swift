import ExampleFleet
import IrisLogFleet
import VersionKitControl
import VersionKitModel

/// The demonstration of an upgrade, step by step.
struct UpgradeDemo {
    /// How long release 2 is watched on the node that has it first, in milliseconds.
    private static let watched = 2000

    let place: DemoFleet
    let retirementPeriod: Int

    func run() async throws -> Outcome {
        say("Making the releases of IrisLog 1 and 2 ...")
        let key = try await place.staging.makeKey()
        let release1 = try await place.staging.makeRelease(1, retirementPeriod: retirementPeriod)
        let release2 = try await place.staging.makeRelease(
            2, retirementPeriod: retirementPeriod,
            settings: [ReleaseStaging.spread(percent: 0, milliseconds: Self.watched)])
        try await place.start(with: release1, key: key)
        try await place.startClients()
        try await Task.sleep(for: DemoFleet.calm)

        let first = place.nodes[0]
        place.tell(
            "Release 2 is published on \(first.member.name) alone; the others hear of it from their peers, fetch it from "
                + "each other, and begin when \(first.member.name) vouches for it ...")
        let start = ContinuousClock.now
        try await first.publish(release2)
        var isUpgraded = true
        do {
            try await place.wait("version 2 did not take over everywhere") { $0.isUpgraded }
        } catch let error as FleetError {
            // The figures of what was reached are worth more than the complaint alone.
            place.tell("demo: \(error)")
            isUpgraded = false
        }
        let duration = ContinuousClock.now - start
        if isUpgraded { try await Task.sleep(for: DemoFleet.calm) }
        return try await conclude(duration)
    }

    private func conclude(_ duration: Duration) async throws -> Outcome {
        let (total, complaints) = try await place.finishClients()
        for complaint in complaints { say("  failed: \(complaint)") }
        let statuses = await place.look()
        place.tell("")
        say(StageTable.text(statuses, version: 2))
        say(distribution(statuses.compactMap(\.status)))
        say("")
        if total.failed > 0 || total.lost > 0 {
            for case (_, let status?) in statuses { say(StatusTable.text(of: status) + "\n") }
        }
        return Outcome(
            upgraded: statuses.filter { $0.status?.isUpgraded ?? false }.count, nodes: statuses.count,
            duration: duration, load: total, sawEverything: complaints.isEmpty)
    }
}

extension UpgradeDemo {
    /// Which way the release came.
    private func distribution(_ statuses: [NodeStatus]) -> String {
        let swarms = statuses.compactMap(\.swarm)
        let kilobytes = swarms.reduce(0) { $0 + $1.bytesReceived } / 1000
        return "\(kilobytes) kB came by BitTorrent, to \(swarms.count { $0.bytesReceived > 0 }) nodes; "
            + "\(swarms.reduce(0) { $0 + $1.fallbacks }) downloads went on directly"
    }
}

extension NodeStatus {
    /// Whether version 2 serves alone because version 1 has retired, and not because it failed.
    fileprivate var isUpgraded: Bool { serves(only: 2) && version(1)?.state == .retired }
}
