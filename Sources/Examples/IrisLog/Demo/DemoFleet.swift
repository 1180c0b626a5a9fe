import ExampleFleet
import Glibc
import IrisLogDemoModel
import IrisLogFleet
import VersionKitControl
import VersionKitModel
import VersionKitTestbed

/// What a demonstration has: hosts with versiond, clients of both protocols on each, and a table that shows them.
final class DemoFleet {
    /// How long clients work before something happens, and after it.
    static let calm = Duration.seconds(2)
    private static let directory = "/run/demo"
    private static let pollInterval = Duration.milliseconds(100)

    let fleet: Fleet
    let staging: ReleaseStaging
    let timeout: Duration
    private let delay: Duration
    private var testbed: Testbed?
    private(set) var nodes: [FleetNode] = []
    private(set) var loads: [LoadProcess] = []
    /// All that was seen of the nodes' versions.
    private(set) var sightings = Sightings()
    private var table = DemoTable()

    /// Nothing is started yet.
    init(_ fleet: Fleet, _ options: DemoOptions) throws {
        guard mkdir(Self.directory, 0o755) == 0 else {
            throw FleetError("run this in scripts/sandbox: \(Self.directory) cannot be made")
        }
        self.fleet = fleet
        staging = ReleaseStaging(programs: try Programs.directory(), directory: Self.directory)
        delay = .milliseconds(options.delay)
        timeout = .seconds(options.timeout)
    }

    deinit { testbed?.stop() }

    // MARK: Starting

    /// Starts the hosts with a release that all of them run first.
    func start(with release: String, key: String) async throws {
        let testbed = try Testbed(plan)
        self.testbed = testbed
        say("Starting \(fleet.members.count) hosts in \(fleet.regions.count) regions with IrisLog 1 ...")
        // With it they tell each other of releases, and of what they found out about them.
        let settings = ["\"fleetKey\": \"\(try await staging.makeFleetKey())\""]
        nodes = try fleet.members.map { member in
            guard let host = testbed[member.name] else { throw FleetError("there is no host \(member.name)") }
            return try FleetNode.start(
                member, of: fleet, on: host, programs: staging.programs, directory: Self.directory, key: key,
                settings: settings)
        }
        try await wait("versiond did not start everywhere") { _ in true }
        for node in nodes { try await node.publish(release) }
        try await wait("version 1 did not start everywhere") { $0.serves(only: 1) }
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

    /// Starts the clients, and waits until each of them has updated its node.
    func startClients() async throws {
        say("Clients of protocol 1 and of protocol 2 on every host begin ...")
        loads = try nodes.flatMap { node in
            try [1, 2].map { try LoadProcess(on: node, fleet: fleet, generation: $0, programs: staging.programs) }
        }
        try await waitForUpdates(beyond: loads.map { _ in 0 })
    }

    // MARK: Watching

    /// What clients did so far.
    var numbers: LoadNumbers {
        loads.reduce(into: LoadNumbers()) { $0.add($1.numbers) }
    }

    /// Tells what happens now.
    func tell(_ line: String) {
        table.close()
        say(line)
    }

    /// Waits until all nodes, or these, are as wanted; none may lose a version meanwhile but one that may fail.
    func wait(
        _ complaint: String, on names: Set<String>? = nil, mayFail: Set<Version> = [],
        until isReached: (NodeStatus) -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + timeout
        while true {
            let statuses = await look()
            let wanted = statuses.filter { names?.contains($0.name) ?? true }
            if wanted.allSatisfy({ $0.status.map(isReached) ?? false }) { return table.close() }
            for (name, status) in statuses {
                for version in status?.applications.first?.versions ?? []
                where version.state == .failed && !mayFail.contains(version.version) {
                    throw FleetError("\(complaint): on \(name): \(version.reason ?? "")")
                }
            }
            guard ContinuousClock.now < deadline else { throw FleetError("\(complaint) within \(timeout)") }
            try await Task.sleep(for: Self.pollInterval)
        }
    }

    /// Every node's status, which is shown, too.
    @discardableResult
    func look() async -> [(name: String, status: NodeStatus?)] {
        var statuses: [(name: String, status: NodeStatus?)] = []
        for node in nodes {
            let status = await node.status()
            if let status { sightings.saw(status, on: node.member.name) }
            statuses.append((node.member.name, status))
        }
        table.show(statuses, load: numbers)
        return statuses
    }

    /// Waits until each of the clients has had more updates acknowledged than that.
    func waitForUpdates(beyond counts: [Int]) async throws {
        let deadline = ContinuousClock.now + timeout
        while zip(loads, counts).contains(where: { $0.numbers.updates <= $1 }) {
            guard ContinuousClock.now < deadline else { throw FleetError("not every client could update its node") }
            try await Task.sleep(for: Self.pollInterval)
        }
    }

    // MARK: The end

    /// Has the clients end and read back; the sum, and what each has to complain of.
    func finishClients() async throws -> (total: LoadNumbers, complaints: [String]) {
        tell("Every acknowledged update is read back ...")
        var total = LoadNumbers()
        var complaints: [String] = []
        var sawEverything = true
        for load in loads {
            let numbers = try await load.finish()
            total.add(numbers)
            if numbers.nodesSeen < nodes.count { sawEverything = false }
            if !numbers.reasons.isEmpty { say("  failed: \(numbers.reasons)") }
        }
        if !sawEverything { complaints.append("some clients never saw all nodes in one answer") }
        return (total, complaints)
    }

    /// The logs of each node's versiond and clients, for finding out what went wrong.
    static func printLogs(of fleet: Fleet) {
        for member in fleet.members {
            for name in ["versiond.log", "load.log"] {
                say("--- \(member.name)/\(name)")
                guard let file = fopen("\(directory)/\(member.name)/\(name)", "re") else { continue }
                defer { fclose(file) }
                var line: UnsafeMutablePointer<CChar>?
                var capacity = 0
                defer { free(line) }
                while getline(&line, &capacity, file) > 0, let line { print(String(cString: line), terminator: "") }
            }
        }
    }
}
