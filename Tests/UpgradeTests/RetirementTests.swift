import Testing
import VersionKitUpgrade

@Suite("Retirement")
struct RetirementTests {
    private func sample(
        _ messages: UInt64 = 0, needed: UInt64 = 0, behind: Int = 0, farBehind: Int? = nil
    ) -> Retirement.Sample {
        Retirement.Sample(
            peerMessages: messages, neededAnswers: needed, peersBehind: behind, peersFarBehind: farBehind ?? behind)
    }

    private func policy(_ rate: Double, needsCopy: Bool = false, isCopied: Bool = false) -> Retirement {
        Retirement(
            policy: .init(messagesPerSecond: rate, period: .seconds(10)), needsCopy: needsCopy, isCopied: isCopied)
    }

    @Test("a version that nobody needs is drained after a period and retired after another")
    func retires() {
        var retirement = policy(0)
        #expect(retirement.observe(sample(), at: .seconds(0)) == .keep)
        #expect(retirement.observe(sample(), at: .seconds(9)) == .keep)
        #expect(retirement.observe(sample(), at: .seconds(10)) == .drain)
        #expect(retirement.observe(sample(), at: .seconds(19)) == .drain)
        #expect(retirement.observe(sample(), at: .seconds(20)) == .retire)
    }

    @Test("as long as a client needed its answer, or a peer has nothing newer, it is kept")
    func kept() {
        var retirement = policy(0)
        _ = retirement.observe(sample(), at: .seconds(0))
        #expect(retirement.observe(sample(needed: 1), at: .seconds(10)) == .keep)
        #expect(retirement.observe(sample(needed: 1, behind: 1), at: .seconds(20)) == .keep)
        #expect(retirement.observe(sample(needed: 1), at: .seconds(29)) == .keep)
        #expect(retirement.observe(sample(needed: 1), at: .seconds(30)) == .drain)
    }

    @Test("messages of peers at or above the threshold keep a drained version alive for another period")
    func messages() {
        var retirement = policy(1)
        _ = retirement.observe(sample(), at: .seconds(0))
        #expect(retirement.observe(sample(100), at: .seconds(10)) == .drain)
        #expect(retirement.observe(sample(110), at: .seconds(20)) == .drain)
        #expect(retirement.observe(sample(119), at: .seconds(30)) == .retire)
    }

    @Test("a version that an operator dismisses is drained and retired whoever needs it, drained first in any case")
    func dismissed() {
        var retirement = policy(0)
        #expect(retirement.observe(sample(behind: 2), at: .seconds(0)) == .keep)
        retirement.dismiss()
        #expect(retirement.observe(sample(7, needed: 3, behind: 2), at: .seconds(1)) == .drain)
        retirement.dismiss()
        #expect(retirement.observe(sample(9, needed: 4, behind: 2), at: .seconds(2)) == .retire)
        var drained = policy(0)
        _ = drained.observe(sample(), at: .seconds(0))
        #expect(drained.observe(sample(), at: .seconds(10)) == .drain)
        drained.dismiss()
        #expect(drained.observe(sample(100), at: .seconds(11)) == .retire)
        var fresh = policy(0)
        fresh.dismiss()
        #expect(fresh.observe(sample(behind: 1), at: .seconds(0)) == .drain)
    }

    @Test(
        "where somebody copies what it has, that is done when nobody is far behind for a period, and before it is drained"
    )
    func copied() {
        var retirement = policy(0, needsCopy: true)
        #expect(retirement.observe(sample(behind: 1), at: .seconds(0)) == .keep)
        #expect(!retirement.isCopyOfUse)
        // A peer that has not copied yet is no reason to wait, nor is what clients need of the old version.
        #expect(retirement.observe(sample(behind: 1, farBehind: 0), at: .seconds(1)) == .keep)
        #expect(retirement.isCopyOfUse)
        #expect(retirement.observe(sample(needed: 1, behind: 1, farBehind: 0), at: .seconds(10)) == .keep)
        #expect(retirement.observe(sample(needed: 2, behind: 1, farBehind: 0), at: .seconds(11)) == .copy)
        #expect(retirement.observe(sample(needed: 2), at: .seconds(30)) == .copy)
        retirement.copied(since: .seconds(11))
        // The peer had copied by then; the period began with the last answer that was needed.
        #expect(retirement.observe(sample(needed: 2), at: .seconds(31)) == .drain)
        #expect(retirement.observe(sample(needed: 2), at: .seconds(41)) == .retire)
        var restarted = policy(0, needsCopy: true, isCopied: true)
        _ = restarted.observe(sample(), at: .seconds(0))
        #expect(restarted.observe(sample(), at: .seconds(10)) == .drain)
    }

    @Test(
        "a copy does not count if somebody came meanwhile who may write to the old version alone, or comes before it is drained"
    )
    func copiedInVain() {
        var retirement = policy(0, needsCopy: true)
        _ = retirement.observe(sample(), at: .seconds(0))
        #expect(retirement.observe(sample(), at: .seconds(10)) == .copy)
        #expect(retirement.observe(sample(behind: 1), at: .seconds(11)) == .keep)
        retirement.copied(since: .seconds(10))
        #expect(!retirement.isCopied)
        #expect(retirement.observe(sample(), at: .seconds(12)) == .keep)
        retirement.copied(since: .seconds(10))
        #expect(!retirement.isCopied)
        #expect(retirement.observe(sample(), at: .seconds(22)) == .copy)
        retirement.copied(since: .seconds(22))
        #expect(retirement.isCopied)
        #expect(retirement.observe(sample(behind: 1), at: .seconds(23)) == .keep)
        #expect(!retirement.isCopied && !retirement.isCopyOfUse)
        #expect(retirement.observe(sample(), at: .seconds(24)) == .keep)
        #expect(retirement.observe(sample(), at: .seconds(34)) == .copy)
        retirement.copied(since: .seconds(34))
        #expect(retirement.observe(sample(), at: .seconds(35)) == .drain)
        // Then reads have left it: who comes now keeps it, and no more.
        #expect(retirement.observe(sample(100, behind: 1), at: .seconds(36)) == .drain)
        #expect(retirement.isCopied && retirement.isCopyOfUse)
    }

    @Test("a copy that fails is begun again after a pause that doubles to a bound, as often as it takes")
    func failedCopies() {
        var retirement = policy(0, needsCopy: true)
        _ = retirement.observe(sample(), at: .seconds(0))
        var now = Duration.seconds(10)
        var pause = Retirement.copyPauses.lowerBound
        for _ in 0..<20 {
            #expect(retirement.observe(sample(), at: now) == .copy)
            retirement.copyFailed(at: now)
            #expect(retirement.observe(sample(), at: now + pause - .milliseconds(1)) == .keep)
            #expect(retirement.isCopyOfUse)
            now += pause
            pause = min(pause * 2, Retirement.copyPauses.upperBound)
        }
        #expect(retirement.observe(sample(), at: now) == .copy)
        retirement.copied(since: now)
        #expect(retirement.observe(sample(), at: now) == .drain)
    }

    @Test(
        "a version that an operator dismisses is copied at once, whoever is behind, and stays until that succeeds or is given up"
    )
    func dismissedCopy() {
        var retirement = policy(0, needsCopy: true)
        retirement.dismiss()
        #expect(retirement.observe(sample(behind: 1), at: .seconds(0)) == .copy)
        retirement.copyFailed(at: .seconds(0))
        #expect(retirement.observe(sample(behind: 1), at: .milliseconds(500)) == .keep)
        #expect(retirement.observe(sample(behind: 1), at: .seconds(1)) == .copy)
        var patient = retirement
        patient.copied(since: .seconds(1))
        #expect(patient.observe(sample(behind: 1), at: .seconds(2)) == .drain)
        #expect(patient.observe(sample(behind: 1), at: .seconds(3)) == .retire)
        retirement.goWithoutCopy()
        #expect(retirement.observe(sample(behind: 1), at: .seconds(2)) == .drain)
        #expect(retirement.observe(sample(behind: 1), at: .seconds(3)) == .retire)
    }
}
