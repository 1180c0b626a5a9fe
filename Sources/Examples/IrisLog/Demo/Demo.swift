import ExampleFleet
import Glibc
import IrisLogFleet
import VersionKitControl
import VersionKitModel
import VersionKitTestbed
import VersionKitUpgrade

/// The demonstration, step by step.
struct Demo {
    private static let directory = "/run/demo"
    private static let pollInterval = Duration.milliseconds(100)
    /// How long clients work before the upgrade and after it.
    private static let calm = Duration.seconds(2)

    let fleet: Fleet
    let delay: Duration
    let retirementPeriod: Int
    let timeout: Duration

    func run() async throws -> Outcome {
        guard mkdir(Self.directory, 0o755) == 0 else {
            throw FleetError("run this in scripts/sandbox: \(Self.directory) cannot be made")
        }
        let programs = try Programs.directory()
        say("Making the releases of IrisLog 1 and 2 ...")
        let staging = ReleaseStaging(programs: programs, directory: Self.directory)
        let key = try await staging.makeKey()
        let release1 = try await staging.makeRelease(1, retirementPeriod: retirementPeriod)
        let release2 = try await staging.makeRelease(2, retirementPeriod: retirementPeriod)

        let testbed = try Testbed(plan)
        defer { testbed.stop() }
        say("Starting \(fleet.members.count) hosts in \(fleet.regions.count) regions with IrisLog 1 ...")
        let nodes = try fleet.members.map { member in
            guard let host = testbed[member.name] else { throw FleetError("there is no host \(member.name)") }
            return try FleetNode.start(
                member, of: fleet, on: host, programs: programs, directory: Self.directory, key: key)
        }
        var table = DemoTable()
        try await wait(nodes, [], &table, "versiond did not start everywhere") { $0 != nil }
        for node in nodes { try await node.publish(release1) }
        try await wait(nodes, [], &table, "version 1 did not start everywhere") { serves($0, only: 1) }
        table.close()

        say("Clients of protocol 1 and of protocol 2 on every host begin ...")
        let loads = try nodes.flatMap { node in
            try [1, 2].map { try LoadProcess(on: node, fleet: fleet, generation: $0, programs: programs) }
        }
        try await waitForLoad(loads)
        try await Task.sleep(for: Self.calm)

        say("Release 2 is published on \(nodes[0].member.name) alone; the others hear of it from their peers ...")
        let start = ContinuousClock.now
        try await nodes[0].publish(release2)
        var isUpgraded = true
        do {
            try await wait(nodes, loads, &table, "version 2 did not take over everywhere") { serves($0, only: 2) }
        } catch let error as FleetError {
            // The figures of what was reached are worth more than the complaint alone.
            say("demo: \(error)")
            isUpgraded = false
        }
        let duration = ContinuousClock.now - start
        table.close()
        if isUpgraded { try await Task.sleep(for: Self.calm) }
        return try await conclude(nodes, loads, duration)
    }

    /// Three areas on one network, joined by links with delay; hosts are near to those of their own area.
    private var plan: TestbedPlan {
        var plan = TestbedPlan()
        plan.segment("wide-area")
        for region in fleet.regions {
            plan.segment(region)
            plan.link(region, "wide-area", Link(delay: delay))
        }
        for member in fleet.members { plan.host(member.name, address: member.address, on: member.region) }
        return plan
    }

    private func conclude(_ nodes: [FleetNode], _ loads: [LoadProcess], _ duration: Duration) async throws -> Outcome {
        say("Every acknowledged update is read back ...")
        var total = LoadNumbers()
        var sawEverything = true
        for load in loads {
            let numbers = try await load.finish()
            total.add(numbers)
            if numbers.nodesSeen < nodes.count { sawEverything = false }
            if !numbers.reasons.isEmpty { say("  failed: \(numbers.reasons)") }
        }
        if !sawEverything { say("  failed: some clients never saw all nodes in one answer") }
        var statuses: [(FleetNode, NodeStatus?)] = []
        for node in nodes { statuses.append((node, await node.status())) }
        say("")
        say(StageTable.text(statuses.map { ($0.0.member.name, $0.1) }, version: 2))
        say("")
        if total.failed > 0 || total.lost > 0 {
            for case (_, let status?) in statuses { say(StatusTable.text(of: status) + "\n") }
        }
        return Outcome(
            upgraded: statuses.filter { serves($0.1, only: 2) }.count, nodes: nodes.count, duration: duration,
            load: total, sawEverything: sawEverything)
    }

    private func serves(_ status: NodeStatus?, only version: Version) -> Bool {
        guard let application = status?.applications.first else { return false }
        return application.serving == [version]
            && application.versions.allSatisfy { $0.state == .retired || ($0.version == version && $0.stage == nil) }
    }

    private func wait(
        _ nodes: [FleetNode], _ loads: [LoadProcess], _ table: inout DemoTable, _ complaint: String,
        until isReached: (NodeStatus?) -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + timeout
        while true {
            var statuses: [(name: String, status: NodeStatus?)] = []
            for node in nodes { statuses.append((node.member.name, await node.status())) }
            var numbers = LoadNumbers()
            for load in loads { numbers.add(load.numbers) }
            table.show(statuses, load: numbers)
            if statuses.allSatisfy({ isReached($0.status) }) { return }
            for (name, status) in statuses {
                for version in status?.applications.first?.versions ?? [] where version.state == .failed {
                    throw FleetError("\(complaint): on \(name): \(version.reason ?? "")")
                }
            }
            guard ContinuousClock.now < deadline else { throw FleetError("\(complaint) within \(timeout)") }
            try await Task.sleep(for: Self.pollInterval)
        }
    }

    private func waitForLoad(_ loads: [LoadProcess]) async throws {
        let deadline = ContinuousClock.now + timeout
        while !loads.allSatisfy({ $0.numbers.updates > 0 }) {
            guard ContinuousClock.now < deadline else { throw FleetError("not every client could update its node") }
            try await Task.sleep(for: Self.pollInterval)
        }
    }

    /// The log of each node's versiond, for finding out what went wrong.
    func printLogs() {
        for member in fleet.members {
            say("--- \(member.name)")
            guard let file = fopen("\(Self.directory)/\(member.name)/versiond.log", "re") else { continue }
            defer { fclose(file) }
            var line: UnsafeMutablePointer<CChar>?
            var capacity = 0
            defer { free(line) }
            while getline(&line, &capacity, file) > 0, let line { print(String(cString: line), terminator: "") }
        }
    }
}
