import ExampleFleet
import Glibc
import RedisFleet
import VersionKitControl
import VersionKitModel
import VersionKitTestbed
import VersionKitUpgrade

/// The demonstration, step by step.
struct Demo {
    private static let directory = "/run/redis-demo"
    private static let hostName = "server"
    private static let pollInterval = Duration.milliseconds(50)
    /// How long clients work before the upgrade and after it.
    private static let calm = Duration.seconds(2)
    private static let pause = Duration.seconds(2)
    /// How long clients may take to finish what they have begun.
    private static let patience = Duration.seconds(45)

    let keys: Int
    let retirementPeriod: Int
    let timeout: Duration
    let hasFaults: Bool

    /// The clients.
    private struct Load {
        var check: CheckProcess
        var benchmark: BenchmarkLoop
    }

    func run() async throws -> Outcome {
        guard mkdir(Self.directory, 0o755) == 0 else {
            throw FleetError("run this in scripts/sandbox: \(Self.directory) cannot be made")
        }
        let programs = try Programs.directory()
        say("Making two releases of redis-server, with different encodings ...")
        let workshop = Workshop(programs: programs, directory: Self.directory)
        let key = try await workshop.makeKey()
        let releases = RedisReleases(workshop)
        let release1 = try await releases.make(1, retirementPeriod: retirementPeriod)
        let release2 = try await releases.make(2, retirementPeriod: retirementPeriod)

        let testbed = try Testbed(plan)
        defer { testbed.stop() }
        guard let host = testbed[Self.hostName] else { throw FleetError("there is no host") }
        say("Starting a host with Redis 1 ...")
        let node = try ManagedHost.start(
            host, application: RedisReleases.application, key: key, programs: programs,
            directory: "\(Self.directory)/\(Self.hostName)")
        var table = DemoTable()
        try await wait(node, nil, &table, "versiond did not start") { $0 != nil }
        try await node.publish(release1)
        try await wait(node, nil, &table, "version 1 did not start") { serves($0, only: 1) }
        table.close()

        say("Filling it with \(keys) keys ...")
        guard let address = await node.status()?.version(1)?.addresses?.primary else {
            throw FleetError("version 1 is nowhere")
        }
        try await Filling.fill(address, from: host, keys: keys)

        say("redis-check and redis-benchmark begin ...")
        let load = Load(
            check: try CheckProcess(on: host, programs: programs, log: node.directory + "/check.log"),
            benchmark: BenchmarkLoop(on: host))
        try await wait(node, load, &table, "clients could not write") { _ in load.check.numbers.writes > 0 }
        try await Task.sleep(for: Self.calm)

        say("Release 2 is published ...")
        let start = ContinuousClock.now
        try await node.publish(release2)
        var faults = hasFaults ? Faults(old: 1, new: 2) : nil
        var troubles: [String] = []
        do {
            try await wait(node, load, &table, "version 2 did not take over", &faults) { serves($0, only: 2) }
        } catch let error as FleetError {
            // The figures of what was reached are worth more than the complaint alone.
            troubles.append("\(error)")
        }
        let duration = ContinuousClock.now - start
        table.close()
        if troubles.isEmpty { try await Task.sleep(for: Self.calm) }
        return try await conclude(node, load, duration, troubles + (faults?.missed ?? []))
    }

    private var plan: TestbedPlan {
        var plan = TestbedPlan()
        plan.segment("office")
        plan.host(Self.hostName, address: "10.99.0.1", on: "office")
        return plan
    }

    private func conclude(
        _ node: ManagedHost, _ load: Load, _ duration: Duration, _ troubles: [String]
    ) async throws -> Outcome {
        say("Every acknowledged write is read back ...")
        let benchmarkTroubles = await load.benchmark.finish(within: Self.patience)
        let check = try await load.check.finish(within: Self.patience)
        let status = await node.status()
        let troubles = troubles + (check.isFinal ? [] : ["redis-check could not read everything back"])
        for reason in troubles + benchmarkTroubles { say("  failed: \(reason)") }
        for reason in check.reasons.split(separator: "|") { say("  failed: \(reason)") }
        say("")
        say(StageTable.text([(Self.hostName, status)], version: 2))
        say("")
        let outcome = Outcome(
            isUpgraded: serves(status, only: 2), duration: duration, check: check,
            benchmarkRequests: load.benchmark.requests, troubles: troubles, benchmarkFailures: benchmarkTroubles.count)
        if !outcome.isGood, let status { say(StatusTable.text(of: status) + "\n") }
        return outcome
    }

    private func serves(_ status: NodeStatus?, only version: Version) -> Bool {
        guard let application = status?.applications.first else { return false }
        return application.serving == [version]
            && application.versions.allSatisfy { $0.state == .retired || ($0.version == version && $0.stage == nil) }
    }

    private func wait(
        _ node: ManagedHost, _ load: Load?, _ table: inout DemoTable, _ complaint: String,
        until isReached: (NodeStatus?) -> Bool
    ) async throws {
        var noFaults: Faults?
        try await wait(node, load, &table, complaint, &noFaults, until: isReached)
    }

    private func wait(
        _ node: ManagedHost, _ load: Load?, _ table: inout DemoTable, _ complaint: String, _ faults: inout Faults?,
        until isReached: (NodeStatus?) -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + timeout
        while true {
            let status = await node.status()
            table.show(status, check: load?.check.numbers ?? CheckNumbers(), benchmark: load?.benchmark.requests ?? 0)
            if let fault = faults?.due(status), bringAbout(fault, status, &table) { faults?.happened() }
            if isReached(status) { return }
            for version in status?.applications.first?.versions ?? [] where version.state == .failed {
                throw FleetError("\(complaint): \(version.reason ?? "")")
            }
            guard ContinuousClock.now < deadline else { throw FleetError("\(complaint) within \(timeout)") }
            try await Task.sleep(for: Self.pollInterval)
        }
    }

    /// False if there is no such process just now.
    private func bringAbout(_ fault: Faults.Fault, _ status: NodeStatus?, _ table: inout DemoTable) -> Bool {
        switch fault {
        case .kill(let version):
            guard let address = status?.version(version)?.addresses?.primary,
                let server = ServerProcess.find(at: address)
            else {
                return false
            }
            server.kill()
            table.tell("redis-server \(server.id) of version \(version) was killed (SIGKILL)")
        case .pause(let version):
            guard let address = status?.version(version)?.addresses?.primary,
                let server = ServerProcess.find(at: address)
            else {
                return false
            }
            server.pause()
            Task {
                // Cut short or not, it has to go on.
                try? await Task.sleep(for: Self.pause)
                server.resume()
            }
            table.tell("redis-server \(server.id) of version \(version) stands still for 2 s (SIGSTOP, SIGCONT)")
        }
        return true
    }

    /// The logs, for finding out what went wrong.
    func printLogs() {
        let place = "\(Self.directory)/\(Self.hostName)"
        for path in ["versiond.log", "state/log/redis-proxy.log", "check.log"] {
            guard let file = fopen("\(place)/\(path)", "re") else { continue }
            defer { fclose(file) }
            say("--- \(path)")
            var line: UnsafeMutablePointer<CChar>?
            var capacity = 0
            defer { free(line) }
            while getline(&line, &capacity, file) > 0, let line { print(String(cString: line), terminator: "") }
        }
    }
}

extension NodeStatus {
    /// The only application's version.
    fileprivate func version(_ version: Version) -> VersionStatus? {
        applications.first?.versions.first { $0.version == version }
    }
}
