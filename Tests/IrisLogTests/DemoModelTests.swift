import IrisLogDemoModel
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitUpgrade

/// What the demonstration of withdrawals makes of what it saw. Method: feed it statuses and numbers of a fleet that does
/// as it should, or does not.
@Suite("What the demonstration of withdrawals concludes")
struct DemoModelTests {
    /// A node that has a version with these stages, by their beginning.
    private func status(_ version: Version, _ stages: KeyValuePairs<UpgradeStage, Int64>) throws -> NodeStatus {
        let found = VersionStatus(
            version: version, state: .serving, stage: nil, reason: nil, addresses: nil,
            stages: stages.map { StageTime(stage: $0.key, startedAt: $0.value, milliseconds: 1) }, migration: nil,
            writes: nil, peerMessages: 0)
        let application = ApplicationStatus(
            application: try #require(ApplicationID(rawValue: Fleet.application)), versions: [found], proxy: nil,
            peers: [:])
        return NodeStatus(
            node: try #require(NodeID(rawValue: "n1")),
            addresses: HostAddresses(IPAddress(v4: 1)), applications: [application],
            router: RouterStatus(outbound: 0, inbound: 0, plain: 0, control: 0, bytes: 0, refused: [:]))
    }

    @Test("a node that fetched a release and waits has not begun with it")
    func waiting() throws {
        var sightings = Sightings()
        sightings.saw(try status(2, [.download: 100, .prepareFileSystem: 200]), on: "n2")
        sightings.saw(
            try status(2, [.download: 100, .prepareFileSystem: 150, .createEnvironment: 180, .serve: 400]), on: "n1")
        sightings.saw(try status(2, [.createEnvironment: 190]), on: "n10")
        #expect(sightings.begun(2) == ["n1", "n10"])
        #expect(sightings.served(2) == ["n1"])
        #expect(sightings.begun(3).isEmpty)
    }

    @Test("a node that begins before the release was watched for long enough is told of")
    func hasty() throws {
        var sightings = Sightings()
        sightings.saw(try status(3, [.createEnvironment: 100, .serve: 1000]), on: "n1")
        sightings.saw(try status(3, [.createEnvironment: 3500]), on: "n2")
        sightings.saw(try status(3, [.createEnvironment: 3499]), on: "n3")
        #expect(sightings.hasty(3, triedOn: "n1", milliseconds: 2500) == ["n3"])
        #expect(sightings.hasty(3, triedOn: "n4", milliseconds: 2500) == ["n1", "n2", "n3"])
    }

    @Test("what was seen first counts, also when a node forgets it")
    func forgotten() throws {
        var sightings = Sightings()
        sightings.saw(try status(2, [.createEnvironment: 100, .serve: 200]), on: "n1")
        sightings.saw(try status(2, [:]), on: "n1")
        #expect(sightings.begun(2) == ["n1"])
        #expect(sightings.served(2) == ["n1"])
    }

    @Test("each step has the requests that came while it lasted")
    func steps() {
        var log = StepLog()
        log.begin("calm", at: .zero, numbers(10, failed: 0, updates: 4))
        log.begin("storm", at: .milliseconds(1500), numbers(30, failed: 0, updates: 9))
        log.end(at: .seconds(4), numbers(70, failed: 3, updates: 29))
        log.end(at: .seconds(5), numbers(90, failed: 3, updates: 39))
        #expect(
            log.steps == [
                StepLog.Step(
                    title: "calm", startMilliseconds: 0, milliseconds: 1500, requests: 20, failed: 0, updates: 5),
                StepLog.Step(
                    title: "storm", startMilliseconds: 1500, milliseconds: 2500, requests: 40, failed: 3, updates: 20),
            ])
        #expect(log.text.split(separator: "\n").count == 3)
    }

    private func numbers(_ requests: Int, failed: Int, updates: Int) -> LoadNumbers {
        var numbers = LoadNumbers()
        numbers.read("progress \(requests) \(failed) \(updates)")
        return numbers
    }

    private var good: RollbackReport {
        var report = RollbackReport()
        (report.nodes, report.nodesBack, report.requests, report.updates) = (4, 4, 100, 50)
        report.badReleaseNodes = ["n1"]
        report.milliseconds = 41_240
        return report
    }

    @Test("one lost update, one node, one request or one trouble is enough to fail")
    func judgement() {
        #expect(good.isGood)
        #expect(!RollbackReport().isGood)
        let wrongs: [(inout RollbackReport) -> Void] = [
            { $0.lost = 1 }, { $0.nodesBack = 3 }, { $0.failed = 1 }, { $0.updates = 0 }, { $0.troubles = ["late"] },
            {
                $0.failed = 3
                $0.excused = 2
            },
        ]
        for wrong in wrongs {
            var report = good
            wrong(&report)
            #expect(!report.isGood, "\(report)")
        }
    }

    @Test("requests that ended with the bad release are counted and said, and are no fault")
    func excused() throws {
        var report = good
        (report.failed, report.excused) = (2, 2)
        #expect(report.isGood)
        #expect(
            report.line == "demo: 4/4 nodes back on version 1 in 41.2 s; the bad release ran on 1; 100 requests, "
                + "2 failed (2 as the bad release ended); 50 updates, 0 lost")
        let json = try report.json()
        #expect(json.contains("\"good\":true") && json.contains("\"failed\":2") && json.contains("\"lost\":0"))
        #expect(!json.contains("\n"))
    }

    @Test("so many hosts are shared out among at most three regions", arguments: [1, 2, 4, 9, 11])
    func hosts(count: Int) {
        let fleet = Fleet(hosts: count)
        #expect(fleet.members.count == count)
        #expect(Set(fleet.members.map(\.name)).count == count)
        #expect(Set(fleet.members.map(\.address)).count == count)
        #expect(fleet.regions.count == min(3, count))
        #expect(Set(fleet.members.map(\.region)) == Set(fleet.regions))
    }
}
