import ExampleFleet
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitJournal
import VersionKitModel
import VersionKitTestbed
import VersionKitUpgrade

/// Goal: a migration that was broken off goes on. Method: real versiond, and a migrator that is killed.
@Suite("Migrations that are broken off", .serialized)
struct MigrationResumeTests {
    @Test("a migrator that is killed is started again with its token, and the report of it is in the status")
    func killedMigrator() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        try await node.publish(fleet.releases.resuming2)
        let status = try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        let report = try #require(status.version(2)?.report)
        #expect(report.attempts == 2)
        #expect(report.token == "half")
        #expect(report.milliseconds != nil)
        #expect(try #require(report.verified) > 0)
        #expect(StatusTable.text(of: status).contains("verified, in 2 attempts"))
        let numbers = try await load.finish()
        #expect(numbers.failed == 0, "\(numbers.reasons)")
        #expect(numbers.lost == 0)
    }

    @Test("IrisLog's migrator is killed while version 2 takes what it copies: it copies the rest, and nothing is lost")
    func killedInTheMiddle() async throws {
        let fleet = try await TestFleet(hosts: 1, diesAtCrashPoints: true)
        let node = fleet.nodes[0]
        let processes = RestartedNode(node: node)
        let load = try await fleet.load(node, protocol: 1)
        try processes.pauseNext()
        // A versiond that stands still answers nobody.
        let asked = Task { [release = fleet.releases.version2] in try await node.publish(release) }
        try await processes.hold(at: "the migrator of version 2")
        // What version 2 is told now it does not hear before the migrator is gone.
        let version2 = ProcessFiles.version(2, on: node)
        try #require(!version2.isEmpty)
        for process in version2 { kill(process, SIGSTOP) }
        node.process.signal(SIGCONT)
        try await asked.value
        var migrator: Int32?
        try await fleet.wait(for: "a migrator that copies", on: node) { status in
            guard let address = status.version(2)?.addresses?.primary else { return false }
            let endpoint = Endpoint(address: address, port: Fleet.clientPort)
            migrator = processes.migrators.first { ProcessFiles.isConnected($0, to: endpoint) }
            return migrator != nil
        }
        kill(try #require(migrator), SIGKILL)
        for process in version2 { kill(process, SIGCONT) }
        let status = try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        let report = try #require(status.version(2)?.report)
        #expect(report.attempts == 2)
        #expect(report.token == nil)
        #expect(try #require(report.verified) > 0)
        #expect(processes.log.contains("it goes on"))
        let numbers = try await load.finish()
        #expect(numbers.lost == 0, "\(numbers.reasons)")
    }

    @Test("a migrator that ends with an exit code undoes the upgrade, with its last line as the reason")
    func failingMigrator() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        let release = try await fleet.releases.staging.makeRelease(
            2, retirementPeriod: 300, name: "unmigrated", migrator: "failing-migrate")
        try await node.publish(release)
        let status = try await fleet.wait(for: "version 1 alone", on: node) {
            $0.serves(only: 1) && $0.version(2)?.state == .failed && $0.version(2)?.addresses == nil
        }
        #expect(status.version(2)?.stage == .migrate)
        let reason = status.version(2)?.reason ?? "no reason"
        #expect(reason.contains("the migrator ended with ") && reason.contains("9"), "\(reason)")
        #expect(reason.hasSuffix("record 4 is in no language that anybody knows"), "\(reason)")
        #expect(status.version(2)?.report?.attempts == 1)
        let numbers = try await load.finish()
        #expect(numbers.failed == 0, "\(numbers.reasons)")
        #expect(numbers.lost == 0)
    }

    @Test("versiond killed while state is copied goes on with the version that it is copied to")
    func killedVersiond() async throws {
        let fleet = try await TestFleet(hosts: 1, diesAtCrashPoints: true)
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        try await node.publish(fleet.releases.resuming2)
        // The second between the two runs of the migrator.
        try await fleet.wait(for: "the migrator's token", on: node) { $0.version(2)?.report?.token == "half" }
        let versions = RestartedNode(node: node).versions
        node.process.kill()
        _ = try await node.process.wait()
        let again = try node.restarted()
        fleet.nodes[0] = again
        let status = try await fleet.wait(for: "version 2 alone", on: again) { $0.serves(only: 2) }
        #expect(RestartedNode(node: again).versions.isSubset(of: versions))
        #expect(status.version(2)?.report?.token == "half")
        #expect(RestartedNode(node: again).log.contains("version 2 of irislog was running and goes on"))
        #expect(try await load.finish().lost == 0)
    }
}
