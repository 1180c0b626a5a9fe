import Synchronization
import Testing
import VersionKitModel
import VersionKitUpgrade

@Suite("Migration")
struct MigrationTests {
    @Test("a rate of records is kept, and a pause gives no more than a burst")
    func records() {
        var pace = MigrationPace(MigrationRate(recordsPerSecond: 10))
        var now = Duration.seconds(1000)
        var copied = 0
        while now < .seconds(1010) {
            now += pace.take(records: 5, at: now)
            copied += 5
        }
        #expect((100...110).contains(copied))
        now += .seconds(3600)
        #expect(pace.take(records: 1, at: now) == .zero)
        #expect(pace.take(records: 1, at: now) == .zero)
        #expect(pace.take(records: 1, at: now) > .zero)
    }

    @Test("the slower of two rates counts, and none is no pause")
    func bytes() {
        var pace = MigrationPace(MigrationRate(recordsPerSecond: 1_000_000, bytesPerSecond: 1000))
        _ = pace.take(records: 1, bytes: 2100, at: .seconds(10))
        #expect(pace.take(records: 1, at: .seconds(10)) == .seconds(2))
        var free = MigrationPace(MigrationRate())
        for _ in 1...3 { #expect(free.take(records: 1 << 40, bytes: 1 << 40, at: .zero) == .zero) }
    }

    @Test("a rate goes to programs as variables, and nonsense is none")
    func variables() {
        let rate = MigrationRate(recordsPerSecond: 7, bytesPerSecond: 9)
        let variables = Dictionary(
            uniqueKeysWithValues: rate.variables.map { text in
                let parts = text.split(separator: "=").map(String.init)
                return (parts[0], parts[1])
            })
        #expect(MigrationRate(variables: { variables[$0] }) == rate)
        #expect(MigrationRate(variables: { _ in "0" }) == MigrationRate())
        #expect(MigrationRate(variables: { _ in "many" }) == MigrationRate())
    }

    /// What a run of passes tells the node, each of which copies so many of ten records.
    private func passes(copying copied: [UInt64]) async throws -> [String] {
        let said = Mutex<[String]>([])
        let address = try #require(Endpoint("10.0.0.1:7000"))
        let run = MigrationRun(
            from: MigrationEnd(version: 1, client: address), to: MigrationEnd(version: 2, client: address),
            say: { line in said.withLock { $0.append(line) } }, wait: { _, _ in })
        var rest = copied[...]
        try await run.copyUntilComplete(passesMax: copied.count) {
            MigrationProgress(examined: 10, copied: rest.removeFirst())
        }
        #expect(rest.isEmpty)
        return said.withLock { $0 }
    }

    @Test("it is copied until a pass found nothing missing, and only the first pass counts as progress")
    func untilComplete() async throws {
        #expect(try await passes(copying: [8, 1, 0]) == ["progress 10 8", "verified 10"])
        #expect(try await passes(copying: [0, 0]) == ["progress 10 0", "verified 10"])
    }

    @Test("a version that never keeps what it gets is not taken for complete")
    func neverComplete() async throws {
        await #expect(throws: MigrationError.self) { _ = try await passes(copying: [8, 2, 2]) }
    }

    /// What a run of passes says that copy these.
    private func passes(copying names: [[String]]) async throws -> [String] {
        let said = Mutex<[String]>([])
        let address = try #require(Endpoint("10.0.0.1:7000"))
        let run = MigrationRun(
            from: MigrationEnd(version: 1, client: address), to: MigrationEnd(version: 2, client: address),
            say: { line in said.withLock { $0.append(line) } }, wait: { _, _ in })
        var rest = names[...]
        try await run.copyWhileOthersWrite(passesMax: names.count, namesMax: 3) {
            let copied = rest.removeFirst()
            return (MigrationProgress(examined: 10, copied: UInt64(copied.count)), copied)
        }
        #expect(rest.isEmpty)
        return said.withLock { $0 }
    }

    @Test("while others write each pass may find something new, and nothing that was copied may be missing again")
    func whileOthersWrite() async throws {
        #expect(try await passes(copying: [["a", "b"], ["c"], []]) == ["progress 10 2", "verified 10"])
        #expect(try await passes(copying: [["a", "b"], ["c"], ["d"], ["e"], ["d"]]) == ["progress 10 2"])
        await #expect(throws: MigrationError.self) { _ = try await passes(copying: [["a", "b"], ["c"], ["b"]]) }
    }

    @Test("a report adds attempts up that go on by a token, and begins anew without one")
    func report() {
        var report = MigrationReport(startedAt: 0)
        report.begin()
        #expect(report.heard("progress 10 4") == false)
        report.begin()
        #expect(report.heard("progress 3 1") == false)
        #expect(report.progress == MigrationProgress(examined: 3, copied: 1))
        #expect(report.heard("token a b") == true)
        #expect(report.heard("token a b") == false)
        #expect(report.token == "a b")
        report.begin()
        #expect(report.heard("progress 5 5") == false)
        #expect(report.progress == MigrationProgress(examined: 8, copied: 6))
        #expect(report.heard("verified 8") == false)
        #expect(report.verified == 8)
        #expect(report.heard("token " + String(repeating: "a", count: 1025)) == false)
        #expect(report.heard("token ") == false)
        #expect(report.heard("anything") == false)
        #expect(report.attempts == 3)
    }

    @Test("one that begins anew forgets its token and keeps why, until it succeeds; given up it keeps why for ever")
    func startingOver() {
        var report = MigrationReport(startedAt: 1000)
        report.begin()
        #expect(report.heard("token half") == true)
        report.startOver(because: "no record 4")
        #expect(report.token == nil)
        report.begin()
        #expect(report.attempts == 2)
        #expect(report.mayTryAgain)
        #expect(!report.isGivenUp)
        var given = report
        given.giveUp(at: 3000)
        #expect(given.isGivenUp && given.failure == "no record 4" && given.milliseconds == 2000)
        report.succeed(at: 4000)
        #expect(!report.isGivenUp && report.failure == nil && report.milliseconds == 3000)
    }

    @Test("a migrator that gets no further is started three times, one that gets further again and again")
    func attempts() {
        var report = MigrationReport(startedAt: 0)
        for _ in 1...2 {
            report.begin()
            #expect(report.mayTryAgain)
        }
        report.begin()
        #expect(!report.mayTryAgain)
        for number in 1...10 {
            report.begin()
            #expect(report.heard("token \(number)") == true)
            #expect(report.mayTryAgain)
        }
    }
}
