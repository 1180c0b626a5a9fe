import NIOCore
import Testing
import VersionKitModel
import VersionKitProxy

@Suite("How versions stand by the logs of a killed proxy")
struct RecoveredStandingsTests {
    private func key(_ name: String) -> Keys { .key(ByteBuffer(string: name)) }

    /// A log that says that these keys are lacking; `*`: anything may be; `?`: anything may be, later.
    private func log(_ lacks: String...) -> CatchUpRecovery {
        var log = CatchUpRecovery()
        for (index, lack) in lacks.enumerated() {
            log.add(
                lack == "*"
                    ? .everything
                    : lack == "?" ? .doubted : .missed(MissedWrite(key(lack), .copy), sequence: UInt64(index) + 1))
        }
        return log
    }

    private func lacks(_ standings: RecoveredStandings) -> [String] {
        standings.unlike.map { lack, _ in
            "\(lack.version) \((lack.keys.names ?? []).map { String(buffer: $0) }.joined())"
        }
    }

    @Test("a version that lacks single keys is not behind, whichever is the newest")
    func each() {
        let standings = RecoveredStandings(versions: [1, 2], logs: [1: log("b"), 2: log("a", "c")])
        #expect(standings.behind.isEmpty && standings.doubted.isEmpty && standings.diverged.isEmpty)
        #expect(lacks(standings) == ["1 b", "2 a", "2 c"])
        #expect(standings.unlike.map(\.sequence) == [1, 1, 2])
    }

    @Test("a version that may lack anything is behind, and its single keys are compared with the rest")
    func behind() {
        let standings = RecoveredStandings(versions: [1, 2], logs: [2: log("a", "*")])
        #expect(standings.behind == [2])
        #expect(lacks(standings) == [])
    }

    @Test("a version that is doubted remains the truth about a key which the others lack, one that is behind does not")
    func doubted() {
        let standings = RecoveredStandings(versions: [1, 2, 3], logs: [1: log("b", "?"), 2: log("*"), 3: log("a")])
        #expect(standings.behind == [2])
        #expect(standings.doubted == [1])
        #expect(lacks(standings) == ["1 b", "3 a"])
        #expect(standings.diverged.isEmpty)
    }

    @Test("a third version that lacks nothing is the truth for both")
    func third() {
        let standings = RecoveredStandings(versions: [1, 2, 3], logs: [2: log("*"), 3: log("a")])
        #expect(standings.behind == [2])
        #expect(lacks(standings) == ["3 a"])
    }

    @Test("when every log says that its version is behind, the newest is taken for the truth, and that is counted")
    func none() {
        let standings = RecoveredStandings(versions: [1, 2], logs: [1: log("*"), 2: log("a", "*")])
        #expect(standings.behind == [1])
        #expect(standings.diverged == [2])
        #expect(lacks(standings) == [])
    }

    @Test("a key that all lack is taken as the newest has it, and that is counted")
    func sameKey() {
        let standings = RecoveredStandings(versions: [1, 2], logs: [1: log("a", "b"), 2: log("a")])
        #expect(standings.diverged == [2])
        #expect(lacks(standings) == ["1 a", "1 b"])
    }

    @Test("a key that was copied is lacked no more, the others are")
    func copied() {
        var log = log("a", "b", "c")
        log.add(.copied(sequence: 2))
        #expect(lacks(RecoveredStandings(versions: [1, 2], logs: [1: log])) == ["1 a", "1 c"])
        for sequence in [1, 3, 7] as [UInt64] { log.add(.copied(sequence: sequence)) }
        #expect(log.isEmpty)
        #expect(log.lastSequence == 3)
    }

    @Test("a damaged log says that its version is behind")
    func damaged() {
        var log = log("a")
        log.noteDamage("by chance")
        #expect(RecoveredStandings(versions: [1, 2], logs: [2: log]).behind == [2])
    }
}
