import ExampleFleet
import FoundationEssentials
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed
import VersionKitUpgrade

/// Goal: what came to an old version alone after state had been copied is in the new one when the old one has gone. Method: real
/// versiond, and writes behind the proxy's back, as a peer's are that has not migrated yet.
@Suite("Migrators that run once more before an old version goes", .serialized)
struct LastMigrationTests {
    private static let reading = "0.4711"

    /// The directories in which the nodes' migrators look for files: see `marked-migrate`.
    private let marks = (0..<2).map { "/run/marks-\(UUID().uuidString)-\($0)" }

    private func fleet(hosts: Int = 1, diesAtCrashPoints: Bool = false) async throws -> TestFleet {
        try await TestFleet(hosts: hosts, hasKey: true, diesAtCrashPoints: diesAtCrashPoints) { number in
            try makeDirectory(marks[number])
            return ["MIGRATION_MARKS": marks[number]]
        }
    }

    private func release(_ fleet: TestFleet, retirementPeriod: Int = 300) async throws -> String {
        try await fleet.releases.staging.makeRelease(
            2, retirementPeriod: retirementPeriod, name: "marked-\(retirementPeriod)", migrator: "marked-migrate")
    }

    /// Has version 1 alone take a reading.
    private func write(_ fleet: TestFleet, _ node: FleetNode) async throws {
        let status = try await fleet.wait(for: "version 1", on: node) { $0.version(1)?.addresses != nil }
        try write(fleet, node, to: 1, at: try #require(status.version(1)?.addresses?.primary))
    }

    private func write(_ fleet: TestFleet, _ node: FleetNode, to version: Int, at address: IPAddress) throws {
        let server = "\(Endpoint(address: address, port: Fleet.clientPort))"
        let result = try node.host.run(
            "\(fleet.releases.programs)/irislog",
            ["--protocol", "\(version)", server, "update", node.member.path, "late", "1", Self.reading])
        try #require(result.exit.isSuccess, "\(result.output) \(result.errors)")
    }

    /// Expects that the versions that serve clients now have the reading.
    private func expectReading(_ fleet: TestFleet, _ node: FleetNode) throws {
        let result = try node.host.run(
            "\(fleet.releases.programs)/irislog",
            ["--protocol", "1", node.server, "query", "\(node.member.path)/current[@sensor='late']/text()"])
        #expect(result.exit.isSuccess, "\(result.errors)")
        #expect(result.output.contains(Self.reading), "\(result.output)")
    }

    private func retire(_ node: FleetNode) async throws -> ControlResponse {
        try await node.ask(.retire(application: try #require(ApplicationID(rawValue: Fleet.application))))
    }

    @Test("a reading that came to version 1 alone after Migrate is in version 2 when version 1 has retired")
    func late() async throws {
        let fleet = try await fleet()
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        try await node.publish(fleet.releases.held2)
        try await fleet.wait(for: "both versions", on: node) { $0.applications.first?.serving == [1, 2] }
        try await write(fleet, node)
        let application = try #require(ApplicationID(rawValue: Fleet.application))
        _ = try await node.ask(.judge(application: application, version: 2, promotes: true))
        let status = try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        try expectReading(fleet, node)
        let report = try #require(status.version(2)?.lastReport)
        #expect(report.attempts == 1 && report.milliseconds != nil && report.failure == nil)
        #expect(report.progress.copied > 0)
        #expect(try #require(report.verified) > 0)
        #expect(StatusTable.text(of: status).contains("once more: "))
        let numbers = try await load.finish()
        #expect(numbers.failed == 0 && numbers.lost == 0, "\(numbers.reasons)")
    }

    @Test("one that an operator dismisses is copied once more, too")
    func dismissed() async throws {
        let fleet = try await fleet()
        let node = fleet.nodes[0]
        try await node.publish(fleet.releases.lasting2)
        try await fleet.wait(for: "both versions", on: node) { $0.applications.first?.serving == [1, 2] }
        try await write(fleet, node)
        guard case .done(let said) = try await retire(node) else { throw FleetError("it is refused") }
        #expect(said.contains("is copied to version 2 once more"))
        try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        try expectReading(fleet, node)
    }

    @Test(
        "if it fails version 1 stays, the reason is visible, and it is tried again until it succeeds; peers wait for it"
    )
    func failing() async throws {
        let fleet = try await fleet(hosts: 2)
        var loads: [LoadProcess] = []
        for node in fleet.nodes { loads.append(try await fleet.load(node, protocol: 1)) }
        for node in fleet.nodes {
            try await fleet.wait(for: "a peer", on: node) { $0.applications.first?.peers.isEmpty == false }
        }
        let (peer, node) = (fleet.nodes[0], fleet.nodes[1])
        let broken = marks[1] + "/broken"
        try ExampleFleet.write("", to: broken)
        try await peer.publish(try await release(fleet))
        let status = try await fleet.wait(for: "a second attempt", on: node) { status in
            status.version(2)?.lastReport.map { $0.failure != nil && $0.attempts >= 2 } ?? false
        }
        #expect(status.applications.first?.serving == [1, 2])
        #expect(status.version(1)?.state == .serving)
        let failure = try #require(status.version(2)?.lastReport?.failure)
        #expect(failure.hasSuffix("record 7 is in no language that anybody knows"), "\(failure)")
        let explained = try #require(UpgradeExplanation.all(of: status).first { $0.version == 2 })
        #expect(explained.failed == failure)
        #expect(RestartedNode(node: node).log.contains("version 1 of irislog stays"))
        // A peer that has copied keeps its old version for the one that has not.
        let other = try await fleet.wait(for: "the peer's copy", on: peer) {
            $0.version(2)?.lastReport?.milliseconds != nil
        }
        #expect(other.version(1)?.state == .serving)
        try await write(fleet, node)
        try #require(unlink(broken) == 0)
        for node in fleet.nodes {
            let status = try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
            #expect(status.version(2)?.lastReport?.failure == nil)
        }
        try expectReading(fleet, node)
        for load in loads { #expect(try await load.finish().lost == 0) }
    }

    @Test("if it fails for ever, an operator who says so twice has version 1 go without it")
    func givenUp() async throws {
        let fleet = try await fleet()
        let node = fleet.nodes[0]
        try ExampleFleet.write("", to: marks[0] + "/broken")
        try await node.publish(try await release(fleet, retirementPeriod: 600_000))
        try await fleet.wait(for: "both versions", on: node) { $0.applications.first?.serving == [1, 2] }
        guard case .done = try await retire(node) else { throw FleetError("it is refused") }
        try await fleet.wait(for: "the reason", on: node) { $0.version(2)?.lastReport?.failure != nil }
        guard case .done(let said) = try await retire(node) else { throw FleetError("it is refused") }
        #expect(said.contains("record 7 is in no language"))
        let status = try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        #expect(try #require(status.version(2)?.lastReport).isGivenUp)
        guard case .refused = try await retire(node) else { throw FleetError("there is nothing left to retire") }
    }

    @Test("versiond killed in it has it go on by its token, and what came meanwhile is copied, too")
    func killed() async throws {
        let fleet = try await fleet(diesAtCrashPoints: true)
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        let slow = marks[0] + "/slow"
        try ExampleFleet.write("", to: slow)
        try await node.publish(try await release(fleet))
        try await fleet.wait(for: "the token", on: node) { $0.version(2)?.lastReport?.token == "half" }
        try await write(fleet, node)
        node.process.kill()
        _ = try await node.process.wait()
        try #require(RestartedNode(node: node).migrators.isEmpty)
        let again = try node.restarted()
        fleet.nodes[0] = again
        let status = try await fleet.wait(for: "version 2 alone", on: again) { $0.serves(only: 2) }
        try expectReading(fleet, again)
        let report = try #require(status.version(2)?.lastReport)
        #expect(report.token == "half" && report.attempts == 2 && report.failure == nil)
        // The first run's report is as it was.
        #expect(try #require(status.version(2)?.report).attempts == 1)
        #expect(try await load.finish().lost == 0)
    }

    @Test("a rollback ends it, and waits for nothing")
    func rolledBack() async throws {
        let fleet = try await fleet()
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        try ExampleFleet.write("", to: marks[0] + "/slow")
        try await node.publish(try await release(fleet))
        try await fleet.wait(for: "the token", on: node) { $0.version(2)?.lastReport?.token == "half" }
        let application = try #require(ApplicationID(rawValue: Fleet.application))
        // Nobody else takes over while a migrator is under way.
        let restart = try await RestartedNode(node: node).restart()
        #expect(!restart.exit.isSuccess && restart.output.contains("is in the stage Serve"), "\(restart.output)")
        guard case .done = try await node.ask(.rollback(application: application)) else {
            throw FleetError("it is refused")
        }
        try await fleet.wait(for: "version 1 alone", on: node) {
            $0.serves(only: 1) && $0.version(2)?.state == .failed && $0.version(2)?.addresses == nil
        }
        let numbers = try await load.finish()
        #expect(numbers.failed == 0 && numbers.lost == 0, "\(numbers.reasons)")
    }

    @Test("on the way back what came to version 2 alone is copied to version 1 once more before version 2 goes")
    func back() async throws {
        let fleet = try await fleet(diesAtCrashPoints: true)
        let node = fleet.nodes[0]
        let processes = RestartedNode(node: node)
        let load = try await fleet.load(node, protocol: 1)
        try await node.publish(fleet.releases.version2)
        let before = try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        let address = try #require(before.version(2)?.addresses?.primary)
        let application = try #require(ApplicationID(rawValue: Fleet.application))
        try processes.pauseNext()
        let asked = Task {
            try await node.ask(.judge(application: application, version: 2, promotes: false, reason: "slow queries"))
        }
        try await processes.hold(at: "the last run of the migrator of version 1")
        try write(fleet, node, to: 2, at: address)
        node.process.signal(SIGCONT)
        _ = try await asked.value
        let status = try await fleet.wait(for: "version 1 alone", on: node) {
            $0.serves(only: 1) && $0.version(2)?.addresses == nil
        }
        let report = try #require(status.version(1)?.lastReport)
        #expect(report.attempts == 1 && report.milliseconds != nil)
        #expect(try #require(report.verified) > 0)
        try expectReading(fleet, node)
        #expect(try await load.finish().lost == 0)
    }
}
