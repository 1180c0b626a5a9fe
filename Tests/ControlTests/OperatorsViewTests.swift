import Testing
import VersionKitControl
import VersionKitModel
import VersionKitUpgrade

@Suite("What operators see of a fleet")
struct OperatorsViewTests {
    private func explain(_ status: NodeStatus) throws -> [UpgradeExplanation] {
        UpgradeExplanation.all(of: status, application: try Statuses.application())
    }

    @Test("a version on its way: what its stage does, how far it is, and what comes then")
    func upgrading() throws {
        let one = try #require(try explain(Statuses.upgrading()).first)
        #expect(one.why.contains("3 records copied of 10"))
        #expect(one.next.hasPrefix("then comes Serve"))
        #expect(one.failed == nil)
        #expect(one.text.split(separator: "\n").count == 3)
    }

    @Test("a version that failed: why, and that the older one serves on")
    func failed() throws {
        let one = try #require(
            try explain(Statuses.node([Statuses.version(2, .failed, .running, reason: "it ended with 1")])).first)
        #expect(one.failed == "it ended with 1")
        #expect(one.why.contains("taken away"))
        #expect(one.next.contains("higher number"))
    }

    @Test("a version that waits for room has not failed, and says what it waits for")
    func room() throws {
        let one = try #require(
            try explain(Statuses.node([Statuses.version(2, .upgrading, .download, reason: "it waits: no room")])).first)
        #expect(one.failed == nil)
        #expect(one.why == "it waits: no room")
        #expect(one.next.contains("versionctl rollback"))
    }

    @Test("a version whose release comes: how much of it is here")
    func download() throws {
        var version = Statuses.version(2, .upgrading, .download)
        version.download = DownloadStatus(way: .swarm, bytes: 12, bytesWanted: 48)
        let status = try Statuses.node([version])
        #expect(try #require(try explain(status).first).why.contains("12 of 48 bytes"))
        #expect(FleetTable.text(of: [.init(place: "a", status: status)]).contains("[>........] 25%"))
    }

    @Test("a version that is tried out, and one that waits for the outcome elsewhere, say who decides")
    func spread() throws {
        var canary = Statuses.version(2, .serving, .serve)
        canary.spread = SpreadStatus(.canary, vouched: 1, needed: 2)
        let tried = try #require(try explain(Statuses.node([canary])).first)
        #expect(tried.why.contains("1 of the 2 nodes"))
        #expect(tried.next.contains("versionctl promote"))
        var waiting = Statuses.version(2, .upgrading, .prepareFileSystem)
        waiting.spread = SpreadStatus(.waiting, vouched: 0, needed: 2)
        #expect(try #require(try explain(Statuses.node([waiting])).first).next.contains("vouch"))
    }

    @Test("a version that drains, and one that stands still in favour of another, say what comes next")
    func leaving() throws {
        let draining = try #require(try explain(Statuses.node([Statuses.version(1, .draining)])).first)
        #expect(draining.next.hasPrefix("it is stopped when"))
        for state in [VersionStatus.State.serving, .draining] {
            var dismissed = Statuses.version(1, state)
            dismissed.isDismissed = true
            #expect(try #require(try explain(Statuses.node([dismissed])).first).why.contains("an operator wants"))
        }
        let torn = Statuses.version(1, .serving, reason: "it cannot be put back: no space")
        let again = try #require(try explain(Statuses.node([torn])).first)
        #expect(again.failed == torn.reason && again.next.contains("--snapshot"))
        let stopped = try #require(try explain(Statuses.node([Statuses.version(1, .stopped)])).first)
        #expect(stopped.next.contains("started again"))
    }

    @Test("a version to which state is copied once more says how far that is and why it failed, until it is done")
    func copyingOnceMore() throws {
        var version = Statuses.version(2, .serving, .serve)
        var report = MigrationReport(startedAt: 0)
        report.begin()
        _ = report.heard("progress 7 3")
        version.lastReport = report
        var found = try #require(try explain(Statuses.node([version])).first)
        #expect(found.why.contains("3 records of 7"))
        #expect(found.failed == nil)
        report.startOver(because: "record 4 is damaged")
        version.lastReport = report
        found = try #require(try explain(Statuses.node([version])).first)
        #expect(found.failed == "record 4 is damaged")
        #expect(found.next.contains("versionctl retire"))
        let text = StatusTable.text(of: try Statuses.node([version]))
        #expect(text.contains("once more: 3 copied of 7") && text.contains("failed: record 4 is damaged"))
        report.succeed(at: 40)
        version.lastReport = report
        found = try #require(try explain(Statuses.node([version])).first)
        #expect(found.failed == nil && found.why == "clients and peers use it, and an older version runs beside it")
    }

    @Test("an old version that is kept: by whom")
    func kept() throws {
        let versions = [Statuses.version(1, .serving), Statuses.version(2, .serving, .serve)]
        let found = try explain(Statuses.node(versions, peers: ["10.0.0.7": [1], "10.0.0.8": [1, 2]]))
        for one in found {
            #expect(one.next.contains("10.0.0.7"))
            #expect(!one.next.contains("10.0.0.8"))
        }
    }

    @Test("a version that retired is not explained, and one that is alone needs nothing")
    func alone() throws {
        let found = try explain(Statuses.node([Statuses.version(1, .retired), Statuses.version(2, .serving)]))
        #expect(found.map(\.version) == [2])
        #expect(found.map(\.next) == ["nothing"])
    }

    @Test("the table has a line for each version on each node, with rates, and says who does not answer")
    func table() throws {
        let before = [
            FleetTable.Row(place: "a", status: try Statuses.node([Statuses.version(1, .serving, messages: 10)])),
            FleetTable.Row(place: "b", status: nil, failure: "no versiond answers"),
        ]
        var after = before
        after[0].status = try Statuses.node([
            Statuses.version(1, .serving, messages: 30), Statuses.version(2, .upgrading, .running),
        ])
        let lines = FleetTable.text(of: after, since: before, seconds: 2).split(separator: "\n").map { line in
            line.split(separator: "  ").map { $0.trimmed }.filter { !$0.isEmpty }
        }
        #expect(lines.count == 4)
        #expect(lines[1] == ["n1", "irislog", "1", "serving", "-", "[#########]", "10", "0"])
        #expect(lines[2] == ["n1", "irislog", "2", "upgrading", "Running", "[#####>...]", "-", "0"])
        #expect(lines[3][3...] == ["no answer", "no versiond answers", "-", "-", "-"])
    }

    @Test("a migration says how far it is, and a failed stage is marked")
    func bars() throws {
        #expect(FleetTable.text(of: [.init(place: "a", status: try Statuses.upgrading())]).contains("[######>..] 3/10"))
        let failed = try Statuses.node([Statuses.version(2, .failed, .running)])
        #expect(FleetTable.text(of: [.init(place: "a", status: failed)]).contains("[#####!...]"))
    }
}

extension Substring {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
