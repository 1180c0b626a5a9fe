import Testing
import VersionKitModel
import VersionKitUpgrade

@Suite("What a node does with a release that begins on some nodes first")
struct SpreadStateTests {
    private func node(_ number: UInt32) throws -> IPAddress { try #require(IPAddress("10.0.0.\(number)")) }

    @Test("the node that it was given to tries it out, and the others wait, if no percentage of them is asked for")
    func given() {
        let rule = StagedSpread(canaryPercent: 0)
        #expect(SpreadState(rule, rank: 0, isGiven: true).decision == .tryOut(vouched: 0, needed: 1))
        #expect(SpreadState(rule, rank: 0, isGiven: false).decision == .wait(vouched: 0, needed: 1))
    }

    @Test(
        "as many of a hundred nodes try it out as it asks for",
        arguments: [(1, 0, true), (1, 1, false), (50, 49, true), (50, 50, false), (99, 99, false), (100, 99, true)])
    func percentage(percent: Int, percentile: UInt64, isCanary: Bool) {
        // The last rank of that hundredth.
        let rank = (percentile + 1) * (UInt64.max / 100) - 1
        let state = SpreadState(StagedSpread(canaryPercent: percent), rank: rank, isGiven: false)
        #expect(state.decision == (isCanary ? .tryOut(vouched: 0, needed: 1) : .wait(vouched: 0, needed: 1)))
    }

    @Test("as many nodes have to vouch for it as it asks for, each counts once")
    func promotions() throws {
        var state = SpreadState(StagedSpread(promotions: 2), rank: .max, isGiven: false)
        state.heard(.good, from: try node(1))
        state.heard(.good, from: try node(1))
        #expect(state.decision == .wait(vouched: 1, needed: 2))
        state.heard(.good, from: try node(2))
        #expect(state.decision == .goOn)
    }

    @Test("one bad word counts more than all good ones, whichever came first, and the first one is told")
    func withdrawal() throws {
        var state = SpreadState(StagedSpread(), rank: 0, isGiven: true)
        state.heard(.good, from: try node(1))
        state.heard(.bad(reason: "it ended"), from: try node(2))
        state.heard(.bad(reason: "slow"), from: try node(3))
        #expect(state.decision == .takeAway(reason: "withdrawn by 10.0.0.2: it ended"))
    }
}
