import ExampleFleet
import Glibc
import IrisLogFleet
import Synchronization
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitTestbed

/// A fleet of hosts that run IrisLog 1 under versiond, for one test.
final class TestFleet {
    /// How long anything may take before a test gives up.
    static let patience = Duration.seconds(90)
    private static let counter = Mutex(0)

    let fleet: Fleet
    let releases: TestReleases
    let testbed: Testbed
    var nodes: [FleetNode] = []

    /// Starts IrisLog 1 on so many hosts of one region.
    ///
    /// - Parameter bareHosts: names of further hosts that run nothing, at 10.99.200.1 and on.
    init(hosts: Int, bareHosts: [String] = []) async throws {
        try #require(getenv("VERSIONKIT_SANDBOX") != nil, "run inside scripts/sandbox, as `make test` does")
        releases = try await TestReleases.shared.value
        fleet = Fleet(regions: ["north"], hostsPerRegion: hosts)
        var plan = TestbedPlan()
        plan.segment("north")
        for member in fleet.members { plan.host(member.name, address: member.address, on: "north") }
        for (index, name) in bareHosts.enumerated() { plan.host(name, address: "10.99.200.\(index + 1)", on: "north") }
        testbed = try Testbed(plan)
        let number = Self.counter.withLock { number in
            number += 1
            return number
        }
        let directory = "/run/fleet-\(number)"
        try #require(mkdir(directory, 0o755) == 0)
        for member in fleet.members {
            let host = try #require(testbed[member.name])
            nodes.append(
                try FleetNode.start(
                    member, of: fleet, on: host, programs: releases.programs, directory: directory, key: releases.key))
        }
        for node in nodes { try await wait(for: "versiond on \(node.member.name)", on: node) { _ in true } }
        for node in nodes { try await node.publish(releases.version1) }
        for node in nodes { try await wait(for: "IrisLog 1", on: node) { $0.serves(only: 1) } }
    }

    deinit { testbed.stop() }

    /// Waits until a node's status is as wanted; the status.
    @discardableResult
    func wait(
        for what: String, on node: FleetNode, until isReached: (NodeStatus) -> Bool
    ) async throws -> NodeStatus {
        let deadline = ContinuousClock.now + Self.patience
        var last: NodeStatus?
        while ContinuousClock.now < deadline {
            if let status = await node.status() {
                if isReached(status) { return status }
                last = status
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw FleetError("no \(what) within \(Self.patience); last: \(last.map(StatusTable.text) ?? "no answer")")
    }

    /// Clients of one protocol at a node, until they are told to finish.
    func load(_ node: FleetNode, protocol generation: Int) async throws -> LoadProcess {
        let load = try LoadProcess(on: node, fleet: fleet, generation: generation, programs: releases.programs)
        let deadline = ContinuousClock.now + Self.patience
        while load.numbers.updates == 0 {
            guard ContinuousClock.now < deadline else { throw FleetError("the clients could not update") }
            try await Task.sleep(for: .milliseconds(20))
        }
        return load
    }
}

extension NodeStatus {
    /// IrisLog's version here.
    func version(_ version: Version) -> VersionStatus? { applications.first?.versions.first { $0.version == version } }

    /// Whether this version serves, and no other one is on its way or left.
    func serves(only version: Version) -> Bool {
        guard let application = applications.first else { return false }
        return application.serving == [version]
            && application.versions.allSatisfy { $0.state != .upgrading && ($0.version != version || $0.stage == nil) }
    }
}

/// IrisLog's releases, good ones and bad ones: made once for all tests.
struct TestReleases: Sendable {
    let programs: String
    let key: String
    let version1: String
    let version2: String
    /// Version 2, whose predecessor does not retire while a test runs.
    let lasting2: String
    /// Version 2, whose program ends at once.
    let crashing2: String
    /// Version 2, whose program never listens.
    let silent2: String
    /// Version 2, whose program says something to a web server and never listens.
    let talking2: String
    /// Version 2, signed with a key that nobody pinned.
    let forged2: String
    /// Version 2, with a byte of its layer changed.
    let damaged2: String

    static let shared = Task { try await make() }

    private static func make() async throws -> TestReleases {
        let programs = try Programs.directory()
        for name in ["/run/releases", "/run/forger"] where mkdir(name, 0o755) != 0 {
            throw FleetError("run inside scripts/sandbox, as `make test` does")
        }
        let staging = ReleaseStaging(programs: programs, directory: "/run/releases")
        let key = try await staging.makeKey()
        let forger = ReleaseStaging(programs: programs, directory: "/run/forger")
        _ = try await forger.makeKey()
        let damaged = try await staging.makeRelease(2, retirementPeriod: 300, name: "damaged")
        try flipByte(inLayerOf: damaged)
        return TestReleases(
            programs: programs, key: key,
            version1: try await staging.makeRelease(1, retirementPeriod: 300),
            version2: try await staging.makeRelease(2, retirementPeriod: 300),
            lasting2: try await staging.makeRelease(2, retirementPeriod: 600_000, name: "lasting"),
            crashing2: try await staging.makeRelease(
                2, retirementPeriod: 300, start: ["/bin/sh", "-c", "echo no disk left; exit 3"], name: "crashing"),
            silent2: try await staging.makeRelease(
                2, retirementPeriod: 300, start: ["/bin/sleep", "600"], startupTimeout: 1500, name: "silent"),
            talking2: try await staging.makeRelease(
                2, retirementPeriod: 300,
                start: [
                    "/bin/bash", "-c", "exec 3<>/dev/tcp/10.99.200.1/9999; echo hello >&3; exec sleep 600",
                ], startupTimeout: 3000, name: "talking"),
            forged2: try await forger.makeRelease(2, retirementPeriod: 300),
            damaged2: damaged)
    }

    private static func flipByte(inLayerOf release: String) throws {
        let layers = "\(release)/layers"
        guard let directory = opendir(layers) else { throw FleetError("\(layers) is missing") }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasSuffix(".tar") else { continue }
            let file = open("\(layers)/\(name)", O_RDWR)
            defer { close(file) }
            var byte: UInt8 = 0
            pread(file, &byte, 1, 4096)
            byte ^= 1
            pwrite(file, &byte, 1, 4096)
        }
    }
}
