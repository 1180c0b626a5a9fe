import ExampleFleet
import FoundationEssentials
import Glibc
import IrisLogFleet
import Synchronization
import Testing
import VersionKitControl
import VersionKitJournal
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases
import VersionKitTestbed

/// A fleet of hosts that run IrisLog 1 under versiond, for one test.
final class TestFleet {
    /// How long anything may take before a test gives up.
    static let patience = Duration.seconds(90)
    private static let counter = Mutex(0)

    let fleet: Fleet
    let releases: TestReleases
    let testbed: Testbed
    private let directory: String
    /// The file of the fleet's key, if it has one.
    let fleetKey: String
    /// Who says what the nodes may run, if they have a root pinned.
    let publishers: FleetPublishers?
    var nodes: [FleetNode] = []
    /// How often clients of each protocol were started at each node: none may go on with another's sequence.
    private var loads: [String: Int] = [:]
    /// What the nodes have their state on, if that is to be small.
    private(set) var disks: [SmallDisk] = []

    /// Starts IrisLog 1 on so many hosts of one region.
    ///
    /// - Parameters:
    ///   - bareHosts: names of further hosts that run nothing, at 10.99.200.1 and on.
    ///   - addressing: which addresses hosts have; if they have both, peers talk by IPv6.
    ///   - hasKey: whether the nodes share a key, for messages to each other.
    ///   - hasRoot: whether the nodes have a root pinned, and a channel that offers version 1.
    ///   - settings: further members of each node's configuration, as JSON.
    ///   - version1: the release of IrisLog 1, if not the usual one.
    ///   - variables: further ones of the environment of the node of this number.
    ///   - others: names of further applications that the nodes manage, whose releases the same key signs.
    ///   - stateMegabytes: the size of the disk that each node has its state on; `nil`: that of the sandbox.
    ///   - diesAtCrashPoints: whether each versiond can be told to end by force, or to stop: see ``FleetNode/crashPoints``.
    init(
        hosts: Int, bareHosts: [String] = [], addressing: Fleet.Addressing = .v4, hasKey: Bool = false,
        hasRoot: Bool = false, settings: [String] = [], version1: KeyPath<TestReleases, String> = \.version1,
        others: [String] = [], diesAtCrashPoints: Bool = false, stateMegabytes: Int? = nil,
        variables: (Int) throws -> [String: String] = { _ in [:] }
    ) async throws {
        try #require(getenv("VERSIONKIT_SANDBOX") != nil, "run inside scripts/sandbox, as `make test` does")
        releases = try await TestReleases.shared.value
        fleet = Fleet(regions: ["north"], hostsPerRegion: hosts, addressing: addressing)
        var plan = TestbedPlan()
        plan.segment("north")
        for member in fleet.members { plan.host(member.name, addresses: member.addresses, on: "north") }
        for (index, name) in bareHosts.enumerated() {
            plan.host(name, addresses: addressing.addresses(200, index + 1), on: "north")
        }
        testbed = try Testbed(plan)
        let number = Self.counter.withLock { number in
            number += 1
            return number
        }
        directory = "/run/fleet-\(number)"
        try #require(mkdir(directory, 0o755) == 0)
        fleetKey = directory + "/fleet.key"
        publishers = hasRoot ? try await FleetPublishers(directory: directory, releases: releases) : nil
        var settings = settings
        if hasKey {
            try FleetKey.make(at: fleetKey)
            settings.append("\"fleetKey\": \"\(fleetKey)\"")
        }
        for member in fleet.members {
            let host = try #require(testbed[member.name])
            if let stateMegabytes {
                let place = "\(directory)/\(member.name)"
                for path in [place, place + "/state"] { try makeDirectory(path) }
                disks.append(try SmallDisk(at: place + "/state", megabytes: stateMegabytes))
            }
            var environment = ProcessInfo.processInfo.environment.merging(try variables(nodes.count)) { $1 }
            if diesAtCrashPoints { environment[CrashPoint.variable] = "\(directory)/\(member.name)/crash-points" }
            nodes.append(
                try FleetNode.start(
                    member, of: fleet, on: host, programs: releases.programs, directory: directory, key: releases.key,
                    settings: settings, others: others, root: publishers?.root, environment: environment))
        }
        for node in nodes { try await wait(for: "versiond on \(node.member.name)", on: node) { _ in true } }
        try await publishers?.offer(releases[keyPath: version1])
        for node in nodes {
            try await publishers?.publish(to: node)
            try await node.publish(releases[keyPath: version1])
        }
        for node in nodes { try await wait(for: "IrisLog 1", on: node) { $0.serves(only: 1) } }
    }

    deinit {
        testbed.stop()
        // Versions outlive versiond, and this fleet; what files they have open would stay, too.
        for node in nodes { node.switchOff() }
        for disk in disks { disk.unmount() }
        // What a node has of releases would fill the sandbox's memory, test by test.
        try? FileManager.default.removeItem(atPath: directory)
    }

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
        // The directory goes with the test: what versiond had to say of it is only here.
        let log = (try? String(contentsOfFile: node.directory + "/versiond.log", encoding: .utf8)) ?? "no log"
        throw FleetError(
            """
            no \(what) within \(Self.patience); last: \(last.map(StatusTable.text) ?? "no answer")
            \(log.suffix(4000))
            """)
    }

    /// Clients of one protocol at a node, until they are told to finish.
    func load(_ node: FleetNode, protocol generation: Int) async throws -> LoadProcess {
        loads["\(node.member.name) \(generation)", default: 0] += 1
        let series = loads["\(node.member.name) \(generation)"] ?? 1
        let load = try LoadProcess(
            on: node, fleet: fleet, generation: generation, series: series, programs: releases.programs)
        let deadline = ContinuousClock.now + Self.patience
        while load.numbers.updates == 0 {
            guard ContinuousClock.now < deadline else { throw FleetError("the clients could not update") }
            try await Task.sleep(for: .milliseconds(20))
        }
        return load
    }
}

/// IrisLog's releases, good ones and bad ones: made once for all tests.
struct TestReleases: Sendable {
    let programs: String
    let key: String
    let version1: String
    let version2: String
    /// Version 3, which speaks as version 2 does.
    let version3: String
    /// Versions 1 and 2, which find their files and their address in every kind of environment.
    let anywhere1: String
    let anywhere2: String
    /// The same, which may write so much and no more.
    let limited2: String
    /// Version 2, whose predecessor does not retire while a test runs.
    let lasting2: String
    /// Version 2, which lets version 1 be gone back to with all that was written since.
    let replaying2: String
    /// Version 2, whose program ends at once.
    let crashing2: String
    /// Version 2, whose program never listens.
    let silent2: String
    /// Version 2, whose program says something to a web server and never listens.
    let talking2: String
    /// Version 2, which begins on the node that it was given to, and after some seconds on the others.
    let tried2: String
    /// Version 1, which is tried out by all who are given it.
    let tried1: String
    /// Version 2 like that, but the others wait until somebody promotes it.
    let held2: String
    /// The same, but its program ends when it has served for some seconds.
    let tiring2: String
    /// Version 2, which all nodes try out for as long as a test may run.
    let everywhere2: String
    /// Version 2, whose health is a command inside that fails.
    let unwell2: String
    /// Versions 1 and 2, whose health is looked at ten times a second: they are well as long as they have no file `sick`. Version
    /// 1 does not retire while a test runs.
    let checked1: String
    let checked2: String
    /// Version 2, which takes the place of version 1, and one that ends at once.
    let package2: String
    let checkpoint2: String
    let crashingPackage2: String
    /// Version 2, which asks for 4 GiB of memory.
    let large2: String
    /// Version 2, whose migrator is killed the first time.
    let resuming2: String
    /// Version 2, signed with a key that nobody pinned.
    let forged2: String
    /// Version 2, with a byte of its layer changed.
    let damaged2: String

    static let shared = Task { try await make() }

    private static func make() async throws -> TestReleases {
        let programs = try Programs.directory()
        for name in [directory, "/run/forger"] where mkdir(name, 0o755) != 0 {
            throw FleetError("run inside scripts/sandbox, as `make test` does")
        }
        let staging = ReleaseStaging(programs: programs, directory: directory)
        let key = try await staging.makeKey()
        let forger = ReleaseStaging(programs: programs, directory: "/run/forger")
        _ = try await forger.makeKey()
        let damaged = try await staging.makeRelease(2, retirementPeriod: 300, name: "damaged")
        try flipByte(inLayerOf: damaged)
        try makeMigrator(
            "killed-migrate",
            """
            [ "$VERSIONKIT_MIGRATION_TOKEN" = half ] && exec "${0%/*}/irislog-migrate" "$@"
            echo token half
            kill -9 $$
            """)
        try makeMigrator(
            "failing-migrate",
            """
            echo progress 3 1
            echo record 4 is in no language that anybody knows
            exit 9
            """)
        // In its second run it fails as long as the node has a file `broken`, and comes to no end, but to a token, with a file `slow`.
        try makeMigrator(
            "marked-migrate",
            """
            if [ -e "$MIGRATION_MARKS/first" ]; then
                if [ -e "$MIGRATION_MARKS/broken" ]; then
                    echo record 7 is in no language that anybody knows
                    exit 9
                fi
                if [ -e "$MIGRATION_MARKS/slow" ] && [ "$VERSIONKIT_MIGRATION_TOKEN" != half ]; then
                    echo token half
                    exec sleep 1000
                fi
            fi
            : > "$MIGRATION_MARKS/first"
            exec "${0%/*}/irislog-migrate" "$@"
            """)
        return TestReleases(
            programs: programs, key: key,
            version1: try await staging.makeRelease(1, retirementPeriod: 300),
            version2: try await staging.makeRelease(2, retirementPeriod: 300),
            version3: try await staging.makeRelease(3, retirementPeriod: 300),
            anywhere1: try await staging.makeRelease(
                1, retirementPeriod: 300, start: startAnywhere(1), name: "anywhere-1"),
            anywhere2: try await staging.makeRelease(
                2, retirementPeriod: 300, start: startAnywhere(2), name: "anywhere-2"),
            limited2: try await staging.makeRelease(
                2, retirementPeriod: 300, start: startAnywhere(2), name: "limited",
                settings: [#""limits": { "diskBytes": 1000000000 }"#]),
            lasting2: try await staging.makeRelease(2, retirementPeriod: 600_000, name: "lasting"),
            replaying2: try await staging.makeRelease(2, retirementPeriod: 300, name: "replaying", replays: true),
            crashing2: try await staging.makeRelease(
                2, retirementPeriod: 300, start: ["/bin/sh", "-c", "echo no disk left; exit 3"], name: "crashing"),
            silent2: try await staging.makeRelease(
                2, retirementPeriod: 300, start: ["/bin/sleep", "600"], startupTimeout: 1500, name: "silent"),
            talking2: try await staging.makeRelease(
                2, retirementPeriod: 300,
                start: [
                    "/bin/bash", "-c", "exec 3<>/dev/tcp/10.99.200.1/9999; echo hello >&3; exec sleep 600",
                ], startupTimeout: 3000, name: "talking"),
            tried2: try await staging.makeRelease(
                2, retirementPeriod: 300, name: "tried",
                settings: [ReleaseStaging.spread(percent: 0, milliseconds: 2500)]),
            tried1: try await staging.makeRelease(
                1, retirementPeriod: 300, name: "tried-1",
                settings: [ReleaseStaging.spread(percent: 0, milliseconds: 1000)]),
            held2: try await staging.makeRelease(
                2, retirementPeriod: 300, name: "held",
                settings: [ReleaseStaging.spread(percent: 0, milliseconds: 600_000)]),
            tiring2: try await staging.makeRelease(
                2, retirementPeriod: 300,
                start: BadRelease.crashing.start(after: 6),
                name: "tiring",
                settings: [ReleaseStaging.spread(percent: 0, milliseconds: 600_000)]),
            everywhere2: try await staging.makeRelease(
                2, retirementPeriod: 300, name: "everywhere",
                settings: [ReleaseStaging.spread(percent: 100, milliseconds: 600_000)]),
            unwell2: try await staging.makeRelease(
                2, retirementPeriod: 300, startupTimeout: 1500, name: "unwell",
                health: [#""kind": "command", "command": ["/bin/sh", "-c", "echo not yet; exit 7"]"#]),
            checked1: try await staging.makeRelease(
                1, retirementPeriod: 300, name: "checked-1", health: [BadRelease.watched]),
            checked2: try await staging.makeRelease(
                2, retirementPeriod: 600_000, name: "checked-2", health: [BadRelease.watched]),
            package2: try await staging.makeRelease(
                2, retirementPeriod: 300, name: "package", settings: [#""method": "package""#]),
            checkpoint2: try await staging.makeRelease(
                2, retirementPeriod: 300, name: "checkpoint", settings: [#""method": "checkpoint""#]),
            crashingPackage2: try await staging.makeRelease(
                2, retirementPeriod: 300, start: ["/bin/sh", "-c", "echo no disk left; exit 3"],
                name: "crashing-package", settings: [#""method": "package""#]),
            large2: try await staging.makeRelease(
                2, retirementPeriod: 300, name: "large", settings: [#""needs": { "memoryBytes": 4294967296 }"#]),
            resuming2: try await staging.makeRelease(
                2, retirementPeriod: 300, name: "resuming", migrator: "killed-migrate"),
            forged2: try await forger.makeRelease(2, retirementPeriod: 300),
            damaged2: damaged)
    }

    /// What makes further releases of IrisLog, signed by the same key.
    var staging: ReleaseStaging { ReleaseStaging(programs: programs, directory: Self.directory) }

    /// Where all of them are.
    static let directory = "/run/releases"

    /// Adds a migrator to the programs of version 2.
    private static func makeMigrator(_ name: String, _ script: String) throws {
        let path = "\(directory)/files-2/opt/irislog/\(name)"
        try write("#!/bin/sh\n\(script)\n", to: path)
        guard chmod(path, 0o755) == 0 else { throw SystemError("chmod \(path)") }
    }

    /// A command that makes the configuration fit: among the node's own processes a version is told its place.
    private static func startAnywhere(_ version: Int) -> [String] {
        let edits = "-e s,/var/,$VERSIONKIT_ROOT/var/, -e s/0.0.0.0/${VERSIONKIT_ADDRESS:-0.0.0.0}/"
        return [
            "/bin/sh", "-ec",
            "mkdir -p run/irislog; cp etc/irislog/* run/irislog; sed -i \(edits) run/irislog/irislog.conf; "
                + "exec opt/irislog/irislog\(version) run/irislog",
        ]
    }

    private static func flipByte(inLayerOf release: String) throws {
        let layers = "\(release)/layers"
        guard let directory = opendir(layers) else { throw FleetError("\(layers) is missing") }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.contains(".tar") else { continue }
            let file = open("\(layers)/\(name)", O_RDWR)
            defer { close(file) }
            var byte: UInt8 = 0
            pread(file, &byte, 1, 4096)
            byte ^= 1
            pwrite(file, &byte, 1, 4096)
        }
    }
}
